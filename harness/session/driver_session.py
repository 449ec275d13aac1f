"""A driver session: an open device whose cookies are known."""

from __future__ import annotations

from dataclasses import dataclass

from harness.abi import COOKIE_MAGIC, INTERFACE_VERSION, Abi, Record, Request, Status
from harness.abi.layout import Input
from harness.session.device import Device, Reply


@dataclass(frozen=True, slots=True)
class Cookies:
    """What the driver wants to hear at the start of every request."""

    device: int
    session: int


class DriverSession:
    """An open device and its cookies. Requests are named as in the interface (`QUERY_FUNCS`)."""

    def __init__(self, device: Device, cookies: Cookies, greeting: Record) -> None:
        self.device = device
        self.cookies = cookies
        self.greeting = greeting
        """Every field of COOKIE's output."""

    @property
    def abi(self) -> Abi:
        return self.device.abi

    def input(self, name: str, **fields: Input) -> bytes:
        """The input of request `name`: its cookies, then `fields` (named as in the header), else zero, and at least
        as long as the request has to be."""
        return _pack(self.abi.request(name), self.cookies, fields)

    def call(self, name: str, *, out_size: int | None = None, **fields: Input) -> Reply:
        """Make request `name` as a client should; `out_size` is the request's own size unless given."""
        request = self.abi.request(name)
        twin = self.device.twin
        return self.device.request(
            _number(request),
            _pack(request, self.cookies, fields),
            out_size=request.out_rule.minimum if out_size is None else out_size,
            name=name,
            twin_data=None if twin is None else _pack(twin.abi.request(name), self.cookies, fields),
        )

    def output(self, name: str, reply: Reply) -> Record:
        """The fields of the output of a request that succeeded."""
        layout = self.abi.request(name).out_rule.layout
        assert layout is not None, f"{name} has no output"
        return layout.unpack(reply.out)

    def fast(self, name: str) -> int:
        """Make a fast request; returns its status: 0 or more for success, negative for an error."""
        reply = self.device.fast(_number(self.abi.request(name)), name=name)
        return self.device.process.target.fast_result(reply)

    def close(self) -> None:
        self.device.close()


def greet(device: Device) -> DriverSession:
    """COOKIE on an open device; raises AssertionError if it is refused."""
    request = device.abi.request("COOKIE")
    fields: dict[str, Input] = {"szMagic": COOKIE_MAGIC + b"\0", "u32Version": INTERFACE_VERSION}
    twin = device.twin
    reply = device.request(
        _number(request),
        _pack(request, None, fields),
        out_size=request.out_rule.minimum,
        name="COOKIE",
        twin_data=None if twin is None else _pack(twin.abi.request("COOKIE"), None, fields),
    )
    assert reply.outcome == Status.OK, f"COOKIE: {reply.outcome}"
    layout = request.out_rule.layout
    assert layout is not None
    greeting = layout.unpack(reply.out)
    cookies = Cookies(device=_integer(greeting["u32Cookie"]), session=_integer(greeting["u32SessionCookie"]))
    return DriverSession(device, cookies, greeting)


def _pack(request: Request, cookies: Cookies | None, fields: dict[str, Input]) -> bytes:
    layout = request.in_rule.layout
    assert layout is not None, f"{request.name} has no input"
    if request.cookies and cookies is not None:
        fields = {"u32Cookie": cookies.device, "u32SessionCookie": cookies.session, **fields}
    return layout.pack(**fields).ljust(request.in_rule.minimum, b"\0")


def _number(request: Request) -> int:
    assert request.number is not None, f"{request.name} does not exist in this ABI"
    return request.number


def _integer(value: object) -> int:
    assert isinstance(value, int)
    return value
