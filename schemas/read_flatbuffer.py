"""A reader of FlatBuffers (https://flatbuffers.dev/internals): what read_batch.py needs of it, every access
checked. The forms of numbers are those of the module struct."""
import struct


class BatchError(ValueError):
    """Why a message is refused."""


def demand(condition, reason):
    if not condition:
        raise BatchError(reason)


class Table:
    """The root table of a FlatBuffer: its vtable says where each field lies. Every access is checked."""

    def __init__(self, data):
        self.data = data
        self.at = self.follow(0)
        self.vtable = self.at - self.number(self.at, "i")
        size = self.number(self.vtable, "H")
        demand(size % 2 == 0 and self.vtable + size <= len(data), "vtable size")
        self.slots = size // 2 - 2

    def number(self, at, form):
        size = struct.calcsize("<" + form)
        demand(0 <= at and at + size <= len(self.data), "offset outside")
        demand(at % size == 0, "alignment")
        return struct.unpack_from("<" + form, self.data, at)[0]

    def follow(self, at):
        """Where the offset at `at` leads."""
        offset = self.number(at, "I")
        demand(0 < offset < 2**31, "offset")
        return at + offset

    def place(self, slot, size=1):
        """Where the field lies, or None when it is absent."""
        offset = self.number(self.vtable + 4 + 2 * slot, "H") if slot < self.slots else 0
        demand(offset == 0 or self.at + offset + size <= len(self.data), "field outside")
        return self.at + offset if offset else None

    def get(self, slot, form, default=0):
        at = self.place(slot, struct.calcsize("<" + form))
        return default if at is None else self.number(at, form)

    def vector(self, slot, form, align=1):
        """Where the items of a vector begin and how many; (None, 0) when it is absent."""
        at = self.place(slot, 4)
        if at is None:
            return None, 0
        return self.items(self.follow(at), struct.calcsize("<" + form), align)

    def items(self, at, size, align):
        count = self.number(at, "I")
        demand(at + 4 + count * size <= len(self.data), "vector outside")
        demand((at + 4) % align == 0 or count == 0, "alignment")
        return at + 4, count

    def column(self, slot, form):
        """A vector of numbers as a tuple, or None."""
        start, count = self.vector(slot, form, align=struct.calcsize("<" + form))
        return None if start is None else struct.unpack_from(f"<{count}{form}", self.data, start)

    def structs(self, slot, form):
        start, count = self.vector(slot, form, align=max(struct.calcsize("<" + c) for c in form.replace("x", "")))
        size = struct.calcsize("<" + form)
        return [struct.unpack_from("<" + form, self.data, start + i * size) for i in range(count)]

    def bytes(self, slot):
        start, count = self.vector(slot, "B")
        return None if start is None else self.data[start:start + count]

    def text_at(self, at):
        start, count = self.items(at, 1, 1)
        demand(start + count < len(self.data) and self.data[start + count] == 0, "string without its end")
        return self.data[start:start + count].decode(errors="surrogateescape")

    def text(self, slot):
        at = self.place(slot, 4)
        return None if at is None else self.text_at(self.follow(at))

    def texts(self, slot):
        start, count = self.vector(slot, "I", align=4)
        places = [start + 4 * i for i in range(count)]
        return [self.text_at(self.follow(at)) for at in places]

    def id128(self, slot):
        at = self.place(slot, 16)
        return None if at is None else self.data[at:at + 16].hex()
