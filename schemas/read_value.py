"""The value that people see (protocol.md, section 2): raw * scale + offset, exact, as decimal text."""
import math
import struct
from fractions import Fraction


def decimal_text(digits, exponent):
    """digits * 10^exponent the way RFC 8785 (ECMAScript) writes numbers."""
    if digits == 0:
        return "0"
    sign, text = "-" * (digits < 0), str(abs(digits))
    exponent += len(text) - len(text.rstrip("0"))
    text = text.rstrip("0")
    point = len(text) + exponent
    if not -6 < point <= 21:
        return sign + text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+d}"
    if point <= 0:
        return sign + "0." + "0" * -point + text
    return sign + text[:point].ljust(point, "0") + ("." + text[point:] if text[point:] else "")


def shortest(number):
    """The text of a double, shortest that reads back, as RFC 8785 writes it."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    whole, _, decimals = mantissa.partition(".")
    return decimal_text(int(whole + decimals), int(exponent or 0) - len(decimals))


def shortest32(number):
    """The shortest decimal that reads back as this float32."""
    packed = struct.pack("<f", number)
    for digits in range(9):
        middle = f"{number:.{digits}e}"
        mantissa, _, exponent = middle.partition("e")
        unit = Fraction(f"1e{int(exponent) - digits}")
        # At a power of two the nearest text may lie outside where the next one is inside.
        for candidate in (Fraction(middle), Fraction(middle) + unit, Fraction(middle) - unit):
            try:
                if struct.pack("<f", float(candidate)) == packed:
                    return candidate
            except OverflowError:
                pass
    raise AssertionError("nine digits are always enough")


def shown(raw, kind, scale, offset):
    """raw * scale + offset as decimal text, and whether JSON takes it as a number (protocol.md,
    section 2, "The value that people see"); (None, False) without a number."""
    if kind in (0, 6) or not math.isfinite(raw):
        return None, False
    exact = shortest32(raw) if kind == 4 and raw else Fraction(repr(raw) if kind == 5 else raw)
    exact = exact * scale + offset
    rest, places = exact.denominator, [0, 0]
    for i, prime in enumerate((2, 5)):
        while rest % prime == 0:
            rest, places[i] = rest // prime, places[i] + 1
    if rest != 1:
        return shortest(exact.numerator / exact.denominator), True
    text = decimal_text(int(exact * 10**max(places)), -max(places))
    return text, math.isfinite(float(text)) and shortest(float(text)) == text
