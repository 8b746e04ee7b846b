/* The yardstick of an idle box: a program that wakes so many times a second and does nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char** argv)
{
    const double rate = argc == 2 ? atof(argv[1]) : 0;
    if (!(rate >= 0.01 && rate <= 1e6)) {
        fputs("usage: waker TIMES-A-SECOND\n", stderr);
        return 64;
    }
    const long pause_ns = (long)(1e9 / rate);
    const struct timespec pause = {pause_ns / 1000000000, pause_ns % 1000000000};
    for (;;) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}
