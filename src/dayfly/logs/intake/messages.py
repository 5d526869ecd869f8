"""Messages of protobuf that no package brings: Loki's push, and the status of Google's RPC."""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_KINDS = {
    "bytes": Field.TYPE_BYTES, "string": Field.TYPE_STRING,
    "int32": Field.TYPE_INT32, "int64": Field.TYPE_INT64,
}  # fmt: skip
# Texts of Loki's senders are bytes here: Go does not look whether they are UTF-8.
_SHAPES = {
    "Push": "repeated Stream streams = 1",
    "Stream": "bytes labels = 1; repeated Entry entries = 2",
    "Entry": "Time timestamp = 1; bytes line = 2; repeated Pair metadata = 3",
    "Pair": "bytes name = 1; bytes value = 2",
    "Time": "int64 seconds = 1; int32 nanos = 2",
    "Status": "int32 code = 1; string message = 2",
}


def _classes() -> dict[str, type[Message]]:
    file = FileDescriptorProto(name="dayfly-intake.proto", package="dayfly", syntax="proto3")
    for name, shape in _SHAPES.items():
        message = file.message_type.add(name=name)
        for told in shape.split(";"):
            message.field.append(_field(told.split()))
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"dayfly.{name}")) for name in _SHAPES}


def _field(words: list[str]) -> Field:
    """Of `repeated Entry entries = 2`."""
    label = Field.LABEL_REPEATED if words[0] == "repeated" else Field.LABEL_OPTIONAL
    kind, name, _, number = words[-4:]
    field = Field(name=name, number=int(number), label=label)
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type, field.type_name = Field.TYPE_MESSAGE, f".dayfly.{kind}"
    return field


_CLASSES = _classes()


def push_of(body: bytes) -> Any:  # noqa: ANN401 - a class made at run time
    """Loki's PushRequest; DecodeError when it is none."""
    message: Any = _CLASSES["Push"]()
    message.ParseFromString(body)
    return message


def status(code: int, message: str) -> bytes:
    """As gRPC and OTLP tell what is wrong."""
    made: Any = _CLASSES["Status"]()
    made.code, made.message = code, message
    return bytes(made.SerializeToString())
