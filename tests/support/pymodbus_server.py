"""A Modbus device by pymodbus, an implementation that is not ours.

Takes {"holding": {"3027": [17254, 26214]}, …} (PDU addresses), and "objects" of its identification
if they are to be others, on standard input. Serves TCP and
prints its port, or RTU on the serial port of its argument and prints 0; until it is killed.
"""
import asyncio
import json
import logging
import sys

from pymodbus.datastore import (ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock)
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer

logging.disable(logging.ERROR)  # it logs each connection that a client ends


def block(registers):
    cells = {int(start) + n: word for start, words in registers.items()
             for n, word in enumerate(words)}
    return ModbusSparseDataBlock(cells or {65535: 0})


async def serve(image):
    unit = ModbusSlaveContext(
        hr=block(image.get('holding', {})), ir=block(image.get('input', {})),
        co=block(image.get('coil', {})), di=block(image.get('discrete', {})), zero_mode=True)
    objects = image.get('objects', {0: 'Schneider Electric', 1: 'iEM3155', 2: '1.4'})
    identity = ModbusDeviceIdentification(info={int(id): text for id, text in objects.items()})
    context = ModbusServerContext(slaves=unit, single=True)
    if len(sys.argv) > 1:
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, identity=identity,
                                    port=sys.argv[1], baudrate=19200)
        await server.start()
        print(0, flush=True)
        await server.serve_forever()
        return
    server = ModbusTcpServer(context, identity=identity, address=('127.0.0.1', 0))
    serving = asyncio.create_task(server.serve_forever())
    while server.server is None:
        await asyncio.sleep(0.01)
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await serving

asyncio.run(serve(json.load(sys.stdin)))
