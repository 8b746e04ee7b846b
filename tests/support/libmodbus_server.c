/* A Modbus device by libmodbus, an implementation that is not ours. Reads its registers from
 * standard input, one "holding|input|coil|discrete ADDRESS WORD" per line (PDU addresses). Serves
 * one TCP connection after the other and prints its port, or RTU on the serial port of its argument
 * and prints 0; until it is killed. */
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int fill(modbus_mapping_t* map)
{
    char table[16];
    unsigned address = 0, word = 0;
    while (scanf("%15s %u %u", table, &address, &word) == 3) {
        if (address > 65535) {
            return 0;
        }
        if (strcmp(table, "holding") == 0) {
            map->tab_registers[address] = (uint16_t)word;
        } else if (strcmp(table, "input") == 0) {
            map->tab_input_registers[address] = (uint16_t)word;
        } else if (strcmp(table, "coil") == 0) {
            map->tab_bits[address] = (uint8_t)word;
        } else if (strcmp(table, "discrete") == 0) {
            map->tab_input_bits[address] = (uint8_t)word;
        } else {
            return 0;
        }
    }
    return 1;
}

static void serve(modbus_t* line, modbus_mapping_t* map)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    int length = 0;
    while ((length = modbus_receive(line, request)) >= 0) {
        if (length > 0) {
            modbus_reply(line, request, length, map);
        }
    }
}

static int serve_rtu(const char* port, modbus_mapping_t* map)
{
    modbus_t* line = modbus_new_rtu(port, 19200, 'N', 8, 1);
    if (line == NULL || modbus_set_slave(line, 1) != 0 || modbus_connect(line) != 0) {
        return 1;
    }
    puts("0");
    fflush(stdout);
    for (;;) {
        serve(line, map);
        modbus_flush(line); /* the rest of a request that it does not know */
    }
}

static int serve_tcp(modbus_mapping_t* map)
{
    modbus_t* line = modbus_new_tcp("127.0.0.1", 0);
    int listening = line == NULL ? -1 : modbus_tcp_listen(line, 4);
    struct sockaddr_in where;
    socklen_t size = sizeof where;
    if (listening < 0 || getsockname(listening, (struct sockaddr*)&where, &size) != 0) {
        return 1;
    }
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    while (modbus_tcp_accept(line, &listening) >= 0) {
        serve(line, map);
        modbus_close(line);
    }
    return 1;
}

int main(int argc, char** argv)
{
    modbus_mapping_t* map = modbus_mapping_new(65536, 65536, 65536, 65536);
    if (map == NULL || !fill(map)) {
        return 1;
    }
    return argc > 1 ? serve_rtu(argv[1], map) : serve_tcp(map);
}
