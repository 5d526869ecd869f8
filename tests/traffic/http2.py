"""One HTTP/2 connection: streams side by side, and a GOAWAY taken at its word.

h2 forbids everything after a GOAWAY, although the streams up to the last one it names go on.
So frames are cut out of the bytes here and a GOAWAY never reaches it.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from traffic.plan import Target
from traffic.wire import CHUNK, Answer, BrokenError, Question, settled, strictly

FRAME_HEAD = 9
GOAWAY = 0x7
LARGEST_STREAM_ID = 2**31 - 1


class UntouchedError(Exception):
    """The server says it has not touched this stream: asking again is safe."""


@dataclass
class _Stream:
    answer: "asyncio.Future[Answer]"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Connection:
    """`open_for_more` turns false after a GOAWAY, an end, or `retire`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target
    ) -> None:
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        self._reader, self._writer, self._target = reader, writer, target
        self._streams: dict[int, _Stream] = {}
        self._window_grew = asyncio.Event()
        self._received = b""
        self.open_for_more = True
        self.closed_idle = False  # by the server, without a word, with nothing asked
        self._h2.initiate_connection()
        self._flush()
        self._reading = asyncio.create_task(self._read_all())

    @classmethod
    async def open(cls, target: Target, seconds: float) -> "Connection":
        async with strictly(seconds):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, server_hostname=target.host
            )
            protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
            if protocol != "h2":
                writer.close()
                raise BrokenError(f"ALPN: {protocol} instead of h2")
            return cls(reader, writer, target)

    async def ask(self, question: Question, seconds: float) -> Answer:
        """One stream. UntouchedError when it may be asked again elsewhere."""
        if not self.open_for_more:
            raise UntouchedError
        stream = _Stream(asyncio.get_running_loop().create_future())
        number = self._h2.get_next_available_stream_id()
        self._streams[number] = stream
        try:
            async with strictly(seconds):
                self._h2.send_headers(number, self._headers(question), not question.body)
                await self._send_body(number, question.body)
                return await stream.answer
        except h2.exceptions.ProtocolError as error:
            raise BrokenError(f"HTTP/2: {error}") from error
        finally:
            self._streams.pop(number, None)
            self._close_when_done()

    def _headers(self, question: Question) -> list[tuple[str, str]]:
        headers = [
            (":method", question.method),
            (":scheme", "https"),
            (":authority", self._target.netloc),
            (":path", question.path),
        ]
        if question.body:
            headers.append(("content-type", question.content_type))
            headers.append(("content-length", str(len(question.body))))
        return headers

    async def _send_body(self, number: int, body: bytes) -> None:
        while body:
            room = self._h2.local_flow_control_window(number)
            size = min(room, self._h2.max_outbound_frame_size, len(body))
            if not size:
                self._window_grew.clear()
                self._flush()
                await self._window_grew.wait()
                continue
            self._h2.send_data(number, body[:size], end_stream=size == len(body))
            body = body[size:]
        self._flush()

    async def settle(self) -> None:
        """Notice before asking that the server has closed an idle connection."""
        if self.open_for_more and not self._streams:
            await settled(self._writer)

    def retire(self) -> None:
        """Ask nothing more; close when the last answer is there."""
        self.open_for_more = False
        self._close_when_done()

    async def close(self) -> None:
        self.open_for_more = False
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()

    def _close_when_done(self) -> None:
        if not self.open_for_more and not self._streams:
            self._writer.close()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def _read_all(self) -> None:
        """Until the connection ends; then whoever still waits has lost."""
        what = "reset"
        try:
            while data := await self._reader.read(CHUNK):
                self._receive(data)
            what = "closed without an answer"
        except OSError:
            pass  # told to each stream below
        except h2.exceptions.ProtocolError as error:
            what = f"HTTP/2: {error}"
        finally:
            self.closed_idle = self.open_for_more and not self._streams
            self.open_for_more = False
            for number in list(self._streams):
                self._fail(number, BrokenError(what))
            self._writer.close()

    def _receive(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= FRAME_HEAD:
            size = FRAME_HEAD + int.from_bytes(self._received[:3], "big")
            if len(self._received) < size:
                return
            frame, self._received = self._received[:size], self._received[size:]
            if frame[3] == GOAWAY:
                self._go_away(int.from_bytes(frame[9:13], "big") & LARGEST_STREAM_ID)
                continue
            for event in self._h2.receive_data(frame):
                self._take(event)
            self._flush()

    def _go_away(self, last: int) -> None:
        self.open_for_more = False
        for number in [number for number in self._streams if number > last]:
            self._fail(number, UntouchedError())
        self._close_when_done()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                if stream := self._streams.get(event.stream_id):
                    stream.headers = {str(name): str(value) for name, value in event.headers}
            case h2.events.DataReceived():
                length = event.flow_controlled_length
                self._h2.acknowledge_received_data(length, event.stream_id)
                if stream := self._streams.get(event.stream_id):
                    stream.body += event.data
            case h2.events.StreamEnded():
                self._finish(event.stream_id)
            case h2.events.StreamReset():
                self._reset(event.stream_id, event.error_code)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._window_grew.set()

    def _finish(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is None or stream.answer.done():
            return
        length = stream.headers.get("content-length")
        if length is not None and int(length) != len(stream.body):
            self._fail(number, BrokenError("truncated", stream.headers.get("x-release", "-")))
            return
        status = int(stream.headers.get(":status", "0"))
        stream.answer.set_result(
            Answer(status=status, headers=stream.headers, body=bytes(stream.body))
        )

    def _reset(self, number: int, code: int | None) -> None:
        if code == h2.errors.ErrorCodes.REFUSED_STREAM:
            self._fail(number, UntouchedError())
            return
        release = (
            self._streams[number].headers.get("x-release", "-") if number in self._streams else "-"
        )
        self._fail(number, BrokenError(f"stream reset: {code}", release))

    def _fail(self, number: int, error: Exception) -> None:
        stream = self._streams.get(number)
        if stream and not stream.answer.done():
            stream.answer.set_exception(error)
