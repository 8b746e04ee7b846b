/* The least that could be called a gateway: reads registers with libmodbus, sends bare numbers with
 * libmosquitto, keeps nothing, names nothing. The yardstick of the bench.
 *
 * poller BROKER-PORT PERIOD-MS POINTS uint16|float32 MODBUS-PORT... */
#include <errno.h>
#include <modbus.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_devices = 64, most_registers = 2000, registers_per_request = 120, decimals_scale = 10 };

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Reads all registers of one device in as few requests as fit; 0 when it did not answer. */
static int read_device(modbus_t* device, int registers, uint16_t* words)
{
    for (int first = 0; first < registers; first += registers_per_request) {
        const int rest = registers - first;
        const int wanted = rest < registers_per_request ? rest : registers_per_request;
        if (modbus_read_registers(device, first, wanted, words + first) != wanted) {
            return 0;
        }
    }
    return 1;
}

static size_t format_points(int points, int is_float, const uint16_t* words, char* text,
                            size_t most)
{
    size_t used = 0;
    for (int point = 0; point < points && used < most; ++point) {
        const char* separator = point == 0 ? "" : ",";
        const int written =
            is_float ? snprintf(text + used, most - used, "%s%.7g", separator,
                                (double)modbus_get_float_abcd(words + (size_t)2 * (size_t)point))
                     : snprintf(text + used, most - used, "%s%d.%d", separator,
                                words[point] / decimals_scale, words[point] % decimals_scale);
        used += written > 0 ? (size_t)written : 0;
    }
    return used < most ? used : most - 1;
}

static void advance(struct timespec* due, long period_ms)
{
    due->tv_sec += period_ms / 1000;
    due->tv_nsec += period_ms % 1000 * 1000000;
    if (due->tv_nsec >= 1000000000) {
        due->tv_nsec -= 1000000000;
        ++due->tv_sec;
    }
}

static void poll_devices(struct mosquitto* broker, modbus_t** devices, int device_count, int points,
                         int is_float, long period_ms)
{
    static uint16_t words[most_registers];
    static char text[most_registers * 16];
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    while (!stopped) {
        for (int i = 0; i < device_count; ++i) {
            if (!read_device(devices[i], points * (is_float ? 2 : 1), words)) {
                modbus_close(devices[i]);
                modbus_connect(devices[i]);
                continue;
            }
            char topic[32];
            snprintf(topic, sizeof topic, "bare/%d", i);
            const size_t size = format_points(points, is_float, words, text, sizeof text);
            mosquitto_publish(broker, NULL, topic, (int)size, text, 1, false);
        }
        advance(&due, period_ms);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}

int main(int argc, char** argv)
{
    if (argc < 6) {
        fputs("usage: poller BROKER-PORT PERIOD-MS POINTS uint16|float32 MODBUS-PORT...\n", stderr);
        return 64;
    }
    const int points = atoi(argv[3]);
    const int is_float = strcmp(argv[4], "float32") == 0;
    const int device_count = argc - 5;
    if (device_count > most_devices || points < 1 || points * (is_float ? 2 : 1) > most_registers) {
        fputs("poller: too many devices or points\n", stderr);
        return 64;
    }
    signal(SIGTERM, stop);
    modbus_t* devices[most_devices];
    for (int i = 0; i < device_count; ++i) {
        devices[i] = modbus_new_tcp("127.0.0.1", atoi(argv[5 + i]));
        modbus_set_slave(devices[i], 1);
        if (modbus_connect(devices[i]) != 0) {
            fprintf(stderr, "poller: port %s: %s\n", argv[5 + i], modbus_strerror(errno));
            return 70;
        }
    }
    mosquitto_lib_init();
    struct mosquitto* broker = mosquitto_new("poller", true, NULL);
    if (mosquitto_connect(broker, "127.0.0.1", atoi(argv[1]), 30) != MOSQ_ERR_SUCCESS) {
        fputs("poller: no broker\n", stderr);
        return 70;
    }
    mosquitto_loop_start(broker);
    poll_devices(broker, devices, device_count, points, is_float, atol(argv[2]));
    mosquitto_disconnect(broker);
    mosquitto_loop_stop(broker, false);
    mosquitto_destroy(broker);
    for (int i = 0; i < device_count; ++i) {
        modbus_close(devices[i]);
        modbus_free(devices[i]);
    }
    return 0;
}
