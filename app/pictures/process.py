"""Keeps the process that decodes pictures: starts it when there is one to decode, and again after it was killed."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from struct import Struct
from typing import Any, Final

import msgspec

from app.errors import Refused, Retryable
from app.observe import Observer
from app.observe.process_events import PictureProcessEnded
from app.pictures.picture import PICTURE_REFUSALS, Picture, PictureLimits, PictureRefused
from app.transports.slow_work import AccountTurns

SCRIPT: Final = Path(__file__).with_name("decoder.py")  # never imported here: it would load Pillow
REQUEST: Final = Struct(">IQ")
LINE_BYTES: Final = 4_096
START_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 20.0  # after which a process is ended that has nothing to do: it holds 40 MB
TRIES: Final = 2  # a process may be killed for no fault of the picture: by the system, for want of memory
TOO_SLOW: Final = -signal.SIGPROF
AT_ONCE: Final = 2  # pictures that wait for the process in memory: one is read while another is made smaller
PATIENCE_SECONDS: Final = 20.0  # that a request waits for the others of its account, enough for a page of pictures
RETRY_SECONDS: Final = 5
BUSY: Final = "Other pictures of this account are being made smaller. Ask for fewer at a time"


class DecoderAway(Retryable):
    """The process cannot be started at the moment."""

    part = "machine"

    def __str__(self) -> str:
        return "No process for pictures can be started. Check the machine's memory and its limits"


class ProcessEnded(Exception):
    """The process has ended, or says what makes no sense; the argument is why a picture is refused for that."""


class Answer(msgspec.Struct, rename="camel"):
    """What the process tells. Whatever a picture could make of it, it is one of these."""

    bytes: int
    refused: str = ""
    ready: bool = False
    media_type: str = ""
    width: int = 0
    height: int = 0


class PictureDecoder:
    """One process, for one picture at a time. Those who wait are served in the order in which they came."""

    def __init__(
        self, observe: Observer, limits: PictureLimits | None = None, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.limits = limits or PictureLimits()
        self._idle_seconds = idle_seconds
        self._observe = observe
        self._turn = asyncio.Lock()
        self._accounts = AccountTurns(1)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._process: Process | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def clean(self, content: bytes) -> Picture:
        """The picture as it is kept. Raises PictureRefused, DecoderAway."""
        return await self._convert(content, 0)

    async def scale(self, content: bytes, width: int) -> Picture:
        """The picture with at most this width. Raises PictureRefused, DecoderAway."""
        return await self._convert(content, width)

    @asynccontextmanager
    async def turn(self, account_id: int) -> AsyncIterator[None]:
        """For one picture that somebody waits for: the accounts take turns, and few pictures are held in memory.
        Raises Refused("too_many_reads") if it does not come in time."""
        account = self._accounts.of(account_id)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await account.acquire()
        except TimeoutError:
            raise Refused("too_many_reads", BUSY, retry_after=RETRY_SECONDS) from None
        try:
            async with self._room:
                yield
        finally:
            account.release()

    async def close(self) -> None:
        async with self._turn:
            self._stay()
            await self._end()

    async def _convert(self, content: bytes, width: int) -> Picture:
        async with self._turn:
            for _ in range(TRIES - 1):
                with suppress(ProcessEnded):
                    return await self._ask(content, width)
            try:
                return await self._ask(content, width)
            except ProcessEnded as ended:
                raise PictureRefused(str(ended)) from None

    async def _ask(self, content: bytes, width: int) -> Picture:
        """Raises PictureRefused, ProcessEnded, DecoderAway. After anything unexpected there is no process any more."""
        process = await self._get()
        try:
            async with asyncio.timeout(self.limits.seconds):
                answer, picture = await exchange(process, content, width, self.limits)
        except PictureRefused:
            self._end_when_idle()
            raise
        except TimeoutError:
            raise await self._note_end("picture_too_slow", len(content)) from None
        except (EOFError, ConnectionError, ValueError, msgspec.DecodeError):
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 1.0)
            if process.returncode == TOO_SLOW:  # however often it is tried
                raise PictureRefused(str(await self._note_end("picture_too_slow", len(content)))) from None
            raise await self._note_end("picture_breaks_decoder", len(content)) from None
        except BaseException:  # nobody waits for the answer any more, and the next one must not get it
            await self._end()
            raise
        self._end_when_idle()
        return Picture(answer.media_type, answer.width, answer.height, picture)

    async def _get(self) -> Process:
        """The process, which is started if there is none. Raises DecoderAway."""
        self._stay()
        if self._process is None or self._process.returncode is not None:
            self._process = await start(self.limits)
        return self._process

    async def _note_end(self, code: str, size: int) -> ProcessEnded:
        await self._end()
        self._observe(PictureProcessEnded(code, size))
        return ProcessEnded(code)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await kill(process)

    def _end_when_idle(self) -> None:
        self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._dismiss)

    def _stay(self) -> None:
        if self._ending:
            self._ending.cancel()
            self._ending = None

    def _dismiss(self) -> None:
        """The process ends by itself when its input does."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()


async def start(limits: PictureLimits) -> Process:
    """Without environment, and without the signals of a terminal. Raises DecoderAway."""
    command = (sys.executable, "-I", "-B", str(SCRIPT), msgspec.json.encode(asdict(limits)).decode())
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, start_new_session=True, limit=LINE_BYTES
        )
    except OSError as error:
        raise DecoderAway from error
    try:
        async with asyncio.timeout(START_SECONDS):
            answer = await read_answer(process)
    except (EOFError, ValueError, ConnectionError, msgspec.DecodeError, TimeoutError) as error:
        await kill(process)
        raise DecoderAway from error
    except BaseException:
        await kill(process)
        raise
    if not answer.ready:
        await kill(process)
        raise DecoderAway
    return process


async def kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await asyncio.shield(process.wait())


async def exchange(process: Process, content: bytes, width: int, limits: PictureLimits) -> tuple[Answer, bytes]:
    """Raises PictureRefused; EOFError, ConnectionError, ValueError and DecodeError if the process has ended or is not
    itself any more."""
    pipe: Any = process.stdin
    pipe.write(REQUEST.pack(width, len(content)) + content)
    await pipe.drain()
    answer = await read_answer(process)
    if answer.refused:
        raise PictureRefused(answer.refused if answer.refused in PICTURE_REFUSALS else "damaged_picture")
    if answer.media_type not in ("image/jpeg", "image/png") or not 0 < answer.bytes <= limits.kept_bytes:
        raise ValueError
    if not (answer.width > 0 and answer.height > 0 and answer.width * answer.height <= limits.pixels):
        raise ValueError
    pipe = process.stdout
    return answer, await pipe.readexactly(answer.bytes)


decode_answer = msgspec.json.Decoder(Answer).decode


async def read_answer(process: Process) -> Answer:
    """Raises EOFError, ValueError, DecodeError."""
    pipe: Any = process.stdout
    line = await pipe.readline()
    if not line:
        raise EOFError
    return decode_answer(line)
