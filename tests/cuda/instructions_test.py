"""Translated instructions mean what the PTX ISA says, on edges and at random."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.emulator.ptx.operands import width
from tests.cuda.emulator.ptx.parse import parse
from tests.cuda.emulator.ptx.translate import source_of
from tests.cuda.snippets import Snippet, Snippets, dtype, kernel

COUNT = 512
F32 = np.float32
Case = tuple[str, str, tuple[str, ...], Callable[..., Any]]


def case(text: str, meaning: Callable[..., Any], result: str, *operands: str) -> Case:
    """`meaning` takes Python ints, or np.float32 where an operand is a float."""
    return f"{text};", result, operands, meaning


def binary(opcode: str, meaning: Callable[..., Any], kind: str = "", result: str = "") -> Case:
    kind = kind or opcode.rpartition(".")[2]
    return case(f"{opcode} %d, %a, %b", meaning, result or kind, kind, kind)


def signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def rounded(x: Fraction, mode: Callable[[Fraction], int] = round) -> float:
    """To a float32: to the nearest even, or by math.floor or math.ceil."""
    if x == 0:
        return 0.0
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length()
    exponent -= abs(x) < Fraction(2) ** exponent
    ulp = Fraction(2) ** max(exponent - 23, -149)
    return float(mode(x / ulp) * ulp)


def fma(mode: Callable[[Fraction], int]) -> Callable[..., Any]:
    def meaning(a: np.float32, b: np.float32, c: np.float32) -> Any:
        if not all(map(math.isfinite, (a, b, c))):
            return F32(a) * F32(b) + F32(c)
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        if exact == 0:
            return None  # its sign is another matter
        value = rounded(exact, mode)
        return None if abs(value) > float(np.finfo(F32).max) else F32(value)

    return meaning


def permuted(a: int, b: int, selection: int) -> int:
    pool = (b << 32 | a).to_bytes(8, "little")
    out = []
    for i in range(4):
        nibble = selection >> 4 * i & 15
        byte = pool[nibble & 7]
        out.append((255 if byte & 128 else 0) if nibble & 8 else byte)
    return int.from_bytes(bytes(out), "little")


def to_integer(mode: Callable[[float], float], kind: str) -> Callable[..., Any]:
    bits = width(kind)
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind[0] == "s" else (0, 2**bits - 1)

    def meaning(a: np.float32) -> int:
        if math.isnan(a):
            return 0
        if math.isinf(a):
            return most if a > 0 else least
        return min(max(int(mode(float(a))), least), most)

    return meaning


def lesser(a: np.float32, b: np.float32) -> np.float32:
    if math.isnan(a) or math.isnan(b):
        return b if math.isnan(a) else a
    return min((a, b), key=lambda v: (float(v), math.copysign(1, v)))


ORDERED = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a < b or a > b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def compared(opcode: str, kind: str, meaning: Callable[..., Any]) -> Case:
    text = f"setp.{opcode}.{kind} %p1, %a, %b; selp.b32 %d, 1, 0, %p1"
    return case(text, lambda a, b: int(meaning(a, b)), "u32", kind, kind)


def unordered(meaning: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: math.isnan(a) or math.isnan(b) or meaning(a, b)


CASES: list[Case] = [
    *(binary(f"add.{k}", lambda a, b: a + b) for k in ("s16", "u32", "s32", "s64")),
    *(binary(f"sub.{k}", lambda a, b: a - b) for k in ("u16", "s32", "u64")),
    *(binary(f"mul.lo.{k}", lambda a, b: a * b) for k in ("s16", "u16", "s32", "u64")),
    *(binary(f"mul.hi.{k}", lambda a, b: a * b >> 32) for k in ("s32", "u32")),
    *(binary(f"mul.hi.{k}", lambda a, b: a * b >> 64) for k in ("s64", "u64")),
    binary("mul.wide.s16", lambda a, b: a * b, result="s32"),
    binary("mul.wide.u32", lambda a, b: a * b, result="u64"),
    binary("mul.wide.s32", lambda a, b: a * b, result="s64"),
    case("mad.lo.s32 %d, %a, %b, %c", lambda a, b, c: a * b + c, "s32", "s32", "s32", "s32"),
    case("mad.wide.s32 %d, %a, %b, %c", lambda a, b, c: a * b + c, "s64", "s32", "s32", "s64"),
    case("mad.hi.u32 %d, %a, %b, %c", lambda a, b, c: (a * b >> 32) + c, "u32", *["u32"] * 3),
    *(binary(f"div.{k}", lambda a, b: truncated(a, b) if b else None) for k in ("s32", "u32")),
    binary("div.s64", lambda a, b: truncated(a, b) if b else None),
    *(
        binary(f"rem.{k}", lambda a, b: a - b * truncated(a, b) if b else None)
        for k in ("s32", "u32", "s16")
    ),
    *(binary(f"min.{k}", min) for k in ("s32", "u32", "s64")),
    *(binary(f"max.{k}", max) for k in ("s32", "u32", "s16")),
    case("abs.s32 %d, %a", abs, "s32", "s32"),
    case("neg.s32 %d, %a", lambda a: -a, "s32", "s32"),
    binary("and.b32", lambda a, b: a & b),
    binary("or.b64", lambda a, b: a | b),
    binary("xor.b16", lambda a, b: a ^ b),
    case("not.b32 %d, %a", lambda a: ~a, "b32", "b32"),
    case("shl.b32 %d, %a, %b", lambda a, b: a << b if b < 32 else 0, "b32", "b32", "u32"),
    case("shl.b64 %d, %a, %b", lambda a, b: a << b if b < 64 else 0, "b64", "b64", "u32"),
    case("shr.u32 %d, %a, %b", lambda a, b: a >> min(b, 64), "u32", "u32", "u32"),
    case("shr.s32 %d, %a, %b", lambda a, b: a >> min(b, 64), "s32", "s32", "u32"),
    case("shr.s64 %d, %a, %b", lambda a, b: a >> min(b, 64), "s64", "s64", "u32"),
    case("shr.u16 %d, %a, %b", lambda a, b: a >> min(b, 64), "u16", "u16", "u32"),
    case(
        "shf.l.wrap.b32 %d, %a, %b, %c",
        lambda a, b, c: (b << 32 | a) << (c & 31) >> 32,
        *["b32"] * 4,
    ),
    case(
        "shf.r.clamp.b32 %d, %a, %b, %c",
        lambda a, b, c: (b << 32 | a) >> min(c, 32),
        *["b32"] * 4,
    ),
    case("lop3.b32 %d, %a, %b, %c, 0xea", lambda a, b, c: a & b | c, *["b32"] * 4),
    case("lop3.b32 %d, %a, %b, %c, 0x96", lambda a, b, c: a ^ b ^ c, *["b32"] * 4),
    case("lop3.b32 %d, %a, %b, %c, 0x40", lambda a, b, c: a & b & ~c, *["b32"] * 4),
    case("prmt.b32 %d, %a, %b, %c", permuted, *["b32"] * 4),
    case("bfe.u32 %d, %a, 8, 5", lambda a: a >> 8 & 31, "u32", "u32"),
    case("bfe.s32 %d, %a, 28, 9", lambda a: a >> 28, "s32", "s32"),
    case("bfe.s32 %d, %a, 3, 7", lambda a: signed(a >> 3, 7), "s32", "s32"),
    case(
        "bfi.b32 %d, %a, %b, 12, 6",
        lambda a, b: b & ~(63 << 12) | (a & 63) << 12,
        *["b32"] * 3,
    ),
    case("popc.b32 %d, %a", lambda a: a.bit_count(), "u32", "b32"),
    case("clz.b32 %d, %a", lambda a: 32 - a.bit_length(), "u32", "b32"),
    case("brev.b32 %d, %a", lambda a: int(f"{a:032b}"[::-1], 2), "b32", "b32"),
    case(
        "mov.b32 {%lo, %hi}, %a; mov.b32 %d, {%hi, %lo}",
        lambda a: a >> 16 | (a & 65535) << 16,
        "b32",
        "b32",
    ),
    case("cvt.u16.u32 %d, %a", lambda a: a, "u16", "u32"),
    case("cvt.s64.s32 %d, %a", lambda a: a, "s64", "s32"),
    case("cvt.s32.s8 %d, %a", lambda a: signed(a, 8), "s32", "s32"),
    case("cvt.u32.u8 %d, %a", lambda a: a & 255, "u32", "u32"),
    case("cvt.sat.s8.s32 %d, %a", lambda a: min(max(a, -128), 127), "s16", "s32"),
    case("cvt.sat.u8.s32 %d, %a", lambda a: min(max(a, 0), 255), "u16", "s32"),
    *(binary(f"add.{r}f32", lambda a, b: a + b, "f32") for r in ("", "rn.")),
    binary("sub.f32", lambda a, b: a - b),
    binary("mul.f32", lambda a, b: a * b),
    binary("div.rn.f32", lambda a, b: a / b),
    case("fma.rn.f32 %d, %a, %b, %c", fma(round), *["f32"] * 4),
    case("fma.rm.f32 %d, %a, %b, %c", fma(math.floor), *["f32"] * 4),
    case("fma.rp.f32 %d, %a, %b, %c", fma(math.ceil), *["f32"] * 4),
    case("fma.rz.f32 %d, %a, %b, %c", fma(math.trunc), *["f32"] * 4),
    case("sqrt.rn.f32 %d, %a", np.sqrt, "f32", "f32"),
    case("rcp.rn.f32 %d, %a", lambda a: F32(1) / a, "f32", "f32"),
    binary("min.f32", lesser),
    binary("max.f32", lambda a, b: -lesser(-a, -b)),
    case("abs.f32 %d, %a", abs, "f32", "f32"),
    case("neg.f32 %d, %a", lambda a: -a, "f32", "f32"),
    binary("copysign.f32", lambda a, b: np.copysign(b, a)),
    case(
        "add.sat.f32 %d, %a, %b",
        lambda a, b: F32(0) if math.isnan(a + b) else F32(min(max(a + b, 0), 1)),
        *["f32"] * 3,
    ),
    case("cvt.rni.f32.f32 %d, %a", np.rint, "f32", "f32"),
    case("cvt.rmi.f32.f32 %d, %a", np.floor, "f32", "f32"),
    case("cvt.rpi.f32.f32 %d, %a", np.ceil, "f32", "f32"),
    *(case(f"cvt.rni.{k}.f32 %d, %a", to_integer(np.rint, k), k, "f32") for k in ("s32", "u32")),
    *(case(f"cvt.rzi.{k}.f32 %d, %a", to_integer(np.trunc, k), k, "f32") for k in ("s32", "u64")),
    case("cvt.rmi.s32.f32 %d, %a", to_integer(np.floor, "s32"), "s32", "f32"),
    case("cvt.rni.s8.f32 %d, %a", to_integer(np.rint, "s8"), "s16", "f32"),
    case("cvt.rn.f32.s32 %d, %a", lambda a: rounded(Fraction(a)), "f32", "s32"),
    case("cvt.rn.f32.u64 %d, %a", lambda a: rounded(Fraction(a)), "f32", "u64"),
    case("cvt.rn.f32.u8 %d, %a", lambda a: float(a & 255), "f32", "u16"),
    *(compared(o, k, m) for o, m in ORDERED.items() for k in ("s32", "u32", "f32")),
    *(compared(f"{o}u", "f32", unordered(m)) for o, m in ORDERED.items()),
    compared("num", "f32", lambda a, b: not (math.isnan(a) or math.isnan(b))),
    compared("nan", "f32", lambda a, b: math.isnan(a) or math.isnan(b)),
    compared("lo", "u32", ORDERED["lt"]),
    compared("hs", "u64", ORDERED["ge"]),
    case(
        "setp.lt.s32 %p1, %a, 0; setp.gt.and.s32 %p2|%p3, %b, 0, !%p1;"
        "selp.b32 %d, 1, 0, %p2; @%p3 add.s32 %d, %d, 2",
        lambda a, b: (a >= 0 and b > 0) + 2 * (a >= 0 and b <= 0),
        *["s32"] * 3,
    ),
]


def values(kind: str, rng: np.random.Generator) -> NDArray[Any]:
    bits = width(kind)
    if kind[0] == "f":
        edges = [0.0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 127.5, 128, 2.0**31, -(2.0**31), 2.0**63]
        edges += [2.0**-149, 2.0**-126, 3.4e38, -3.4e38, math.inf, -math.inf, math.nan, 16777217.0]
        random = rng.normal(size=COUNT) * 2.0 ** rng.integers(-40, 40, COUNT)
        pool = np.concatenate([edges, random]).astype(F32)
    else:
        pool = rng.integers(0, 2**bits - 1, COUNT, np.uint64, endpoint=True)
        small = np.arange(-3, 70).astype(np.uint64)
        ends = [(1 << (bits - 1)) + i for i in (-2, -1, 0, 1)]
        pool = np.concatenate([pool, small, np.array(ends, np.uint64)])
        pool = pool.astype(f"uint{bits}").view(dtype(kind))
    return rng.choice(pool, COUNT)


@pytest.fixture(scope="module")
def results() -> list[tuple[list[NDArray[Any]], NDArray[Any]]]:
    rng = np.random.default_rng(3)
    given = [[values(kind, rng) for kind in operands] for _, _, operands, _ in CASES]
    snippets = [Snippet(text, result, operands) for text, result, operands, _ in CASES]
    return list(zip(given, Snippets(snippets).run(given), strict=True))


@pytest.mark.parametrize("index", range(len(CASES)), ids=[c[0].split(" %")[0] for c in CASES])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_instruction(results: list[tuple[list[NDArray[Any]], NDArray[Any]]], index: int) -> None:
    text, result, operands, meaning = CASES[index]
    given, got = results[index]
    checked = 0
    for i in range(COUNT):
        arguments = [
            v[i] if k[0] == "f" else int(v[i]) for k, v in zip(operands, given, strict=True)
        ]
        want = meaning(*arguments)
        if want is None:
            continue
        checked += 1
        if result[0] == "f":
            want = F32(want)
            same = got[i] == want and np.signbit(got[i]) == np.signbit(want)
            assert same or (np.isnan(want) and np.isnan(got[i])), (text, arguments, got[i], want)
        else:
            mask = 2 ** width(result) - 1
            assert int(got[i]) & mask == int(want) & mask, (text, arguments, got[i], want)
    assert checked > COUNT / 2


APPROXIMATE = {
    "ex2.approx.ftz": np.exp2,
    "ex2.approx": np.exp2,
    "rsqrt.approx": lambda x: 1 / np.sqrt(x),
    "rcp.approx": lambda x: 1 / x,
    "sqrt.approx": np.sqrt,
    "lg2.approx": np.log2,
}


def test_approximations_are_within_their_bound_and_seldom_the_nearest() -> None:
    x = np.random.default_rng(5).uniform(2, 100, 4096).astype(F32)
    snippets = [Snippet(f"{opcode}.f32 %d, %a;", "f32", ("f32",)) for opcode in APPROXIMATE]
    for got, exact in zip(
        Snippets(snippets).run([[x]] * len(snippets)), APPROXIMATE.values(), strict=True
    ):
        want = exact(x.astype(float))
        # PTX states 2^-22.5 and less for all of these but lg2 (2^-22, absolute, near 1).
        assert np.abs(got / want - 1).max() < 2.0**-22.5
        assert 0.3 < (got == want.astype(F32)).mean() < 0.7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sin.approx.f32 %d, %a;", "snippets: unknown instruction: sin.approx.f32 %d0, %a0"),
        ("add.cc.u32 %d, %a, %a;", "unknown instruction: add.cc.u32"),
        ("mul.f16x2 %d, %a, %a;", r"unknown instruction: mul\.f16x2"),
        ("mov.b32 %d, %clock;", "unknown operand %clock: mov.b32"),
        ("bar.sync 1;", "expected barrier 0 of all threads: bar.sync 1"),
        ("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d}, {%a}, {%a}, {%d};", "unknown"),
        (".shared .align 4 .b8 here[16];", "unknown directive: .shared"),
    ],
)
def test_what_is_unknown_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        module = parse(kernel([Snippet(text, "b32", ("b32",))]))
        source_of(module, module.entries[0])
