"""What can be wrong with a request, by S3's own codes."""

from dayfly.errors import DayflyError

# The status and the message of each code, where nothing more exact is said.
CODES: dict[str, tuple[int, str]] = {
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs."),
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The query's signature is malformed."),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketAlreadyExists": (409, "The requested bucket name is not available."),
    "BucketAlreadyOwnedByYou": (409, "You own a bucket of this name already."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty."),
    "ConditionalRequestConflict": (409, "Another request wrote the object at the same time."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size."),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size."),
    "IncompleteBody": (400, "You did not provide the number of bytes that you announced."),
    "InsufficientStorage": (507, "There is no space left for this."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The access key ID you provided is not known here."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidBucketState": (409, "The request is not valid for the bucket's current state."),
    "InvalidChunkSizeError": (403, "Of a body's chunks 1000 may have fewer than 8192 bytes."),
    "InvalidDigest": (400, "The Content-MD5 or checksum you specified is not valid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidPolicyDocument": (400, "Invalid Policy: the content of the form does not meet it."),
    "InvalidRange": (416, "The requested range is not satisfiable."),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidRetentionPeriod": (400, "The retention period is not valid."),
    "InvalidTag": (400, "The tag provided was not a valid tag."),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long."),
    "MalformedACLError": (400, "The ACL you provided was not well-formed or not valid."),
    "MalformedPOSTRequest": (400, "The body is not well-formed multipart/form-data."),
    "MalformedPolicy": (400, "The policy is not well-formed."),
    "MalformedXML": (400, "The XML you provided was not well-formed or not valid."),
    "MaxMessageLengthExceeded": (400, "Your request was too big."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "InvalidBucketAclWithObjectOwnership": (
        400,
        "The bucket's ACL grants others, which this forbids.",
    ),
    "NotModified": (304, "Not Modified"),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchBucketPolicy": (404, "The bucket policy does not exist."),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist."),
    "NoSuchLease": (404, "Nobody has the exclusive right to write the key."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": (404, "The lifecycle configuration does not exist."),
    "NoSuchObjectLockConfiguration": (404, "The object has no such lock."),
    "NoSuchPublicAccessBlockConfiguration": (404, "There is no public access block."),
    "NoSuchTagSet": (404, "There is no tag set."),
    "NoSuchUpload": (404, "The specified upload does not exist; it may be done or aborted."),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NotImplemented": (501, "A header or parameter you provided asks for what is not implemented."),
    "ObjectLockConfigurationNotFoundError": (404, "The bucket has no object lock."),
    "OperationAborted": (409, "Somebody else has the right to write the key at the moment."),
    "OwnershipControlsNotFoundError": (404, "The bucket has no ownership controls."),
    "PreconditionFailed": (412, "At least one of the preconditions you specified did not hold."),
    "RequestTimeTooSkewed": (403, "Your clock and the server's are too far apart."),
    "RequestTimeout": (400, "The body did not come within the time allowed."),
    "SignatureDoesNotMatch": (403, "The signature does not match; check your key and method."),
    "SlowDown": (503, "Please reduce your request rate."),
    "UnresolvableGrantByEmailAddress": (400, "No account has the email address you provided."),
    "XAmzContentSHA256Mismatch": (400, "The x-amz-content-sha256 does not match the body."),
}


class S3Error(DayflyError):
    """Refused, with one of CODES. `fields` are further elements of the error document."""

    headers: tuple[tuple[str, str], ...] = ()  # that go with it

    def __init__(self, code: str, message: str = "", **fields: str) -> None:
        status, usual = CODES[code]
        super().__init__(message or usual)
        self.code = code
        self.status = status
        self.fields = fields


def not_implemented(what: str) -> S3Error:
    return S3Error("NotImplemented", f"{what} is not implemented.")


def invalid(name: str, value: str, allowed: str) -> S3Error:
    """InvalidArgument that names what was found and what is allowed."""
    return S3Error(
        "InvalidArgument",
        f"{name} is {value[:200]!r}; allowed is {allowed}.",
        ArgumentName=name,
        ArgumentValue=value[:200],
    )
