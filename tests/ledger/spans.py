"""Sets of whole numbers as ascending, disjoint, closed ranges: [(1, 9), (12, 12)]."""
import bisect


class Spans:
    def __init__(self, ranges=()):
        self.ranges = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first, last):
        """Adds first .. last; neighbours join."""
        low = bisect.bisect_left(self.ranges, first - 1, key=lambda r: r[1])
        high = bisect.bisect_right(self.ranges, last + 1, key=lambda r: r[0])
        if low < high:
            first = min(first, self.ranges[low][0])
            last = max(last, self.ranges[high - 1][1])
        self.ranges[low:high] = [(first, last)]

    def missing(self, first, last):
        """What of first .. last is not in the set, as ranges."""
        lost, at = [], first
        for low, high in self.ranges:
            if high < at:
                continue
            if low > last:
                break
            if low > at:
                lost.append((at, low - 1))
            at = high + 1
        if at <= last:
            lost.append((at, last))
        return lost

    def covers(self, first, last):
        return not self.missing(first, last)

    def overlaps(self, first, last):
        return any(low <= last and first <= high for low, high in self.ranges)

    def top(self):
        return self.ranges[-1][1] if self.ranges else 0

    def __len__(self):
        return sum(high - low + 1 for low, high in self.ranges)
