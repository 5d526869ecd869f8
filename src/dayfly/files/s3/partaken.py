"""What requests about an upload in parts have in common."""

from dayfly.files.objects import Bucket, Upload
from dayfly.files.s3 import rights
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import Request, number_of

MOST_PARTS = 10_000


def upload_of(request: Request, bucket: Bucket, action: str) -> Upload:
    """NoSuchUpload where there is none of that id and key; AccessDenied unless the caller may."""
    key = request.address.key
    rights.check(request, bucket, action, key=key)
    return request.repository.upload(bucket.name, key, request.parameters["uploadId"])


def part_number(request: Request) -> int:
    if "partNumber" not in request.parameters:
        raise S3Error("InvalidRequest", "A part has a number.")
    return number_of(request.parameters, "partNumber", 0, least=1, most=MOST_PARTS)
