/* A Modbus TCP device by libmodbus, an implementation that is not ours. Reads its registers from
 * standard input, one "holding|input|coil|discrete ADDRESS WORD" per line (PDU addresses), prints
 * its port, and serves one connection after the other until it is killed. */
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

int main(void)
{
    modbus_t* line = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t* map = modbus_mapping_new(65536, 65536, 65536, 65536);
    if (line == NULL || map == NULL || !fill(map)) {
        return 1;
    }
    int listening = modbus_tcp_listen(line, 4);
    struct sockaddr_in where;
    socklen_t size = sizeof where;
    if (listening < 0 || getsockname(listening, (struct sockaddr*)&where, &size) != 0) {
        return 1;
    }
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    for (;;) {
        uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
        int length = 0;
        if (modbus_tcp_accept(line, &listening) < 0) {
            return 1;
        }
        while ((length = modbus_receive(line, request)) >= 0) {
            if (length > 0) {
                modbus_reply(line, request, length, map);
            }
        }
        modbus_close(line);
    }
}
