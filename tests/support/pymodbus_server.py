"""A Modbus TCP device by pymodbus, an implementation that is not ours.

Takes {"holding": {"3027": [17254, 26214]}, …} (PDU addresses) on standard input and prints its
port; serves until it is killed.
"""
import asyncio
import json
import logging
import sys

from pymodbus.datastore import (ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock)
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server.async_io import ModbusTcpServer

logging.disable(logging.ERROR)  # it logs each connection that a client ends


def block(registers):
    cells = {int(start) + n: word for start, words in registers.items()
             for n, word in enumerate(words)}
    return ModbusSparseDataBlock(cells or {65535: 0})


async def serve(image):
    unit = ModbusSlaveContext(
        hr=block(image.get('holding', {})), ir=block(image.get('input', {})),
        co=block(image.get('coil', {})), di=block(image.get('discrete', {})), zero_mode=True)
    identity = ModbusDeviceIdentification(info_name={
        'VendorName': 'Schneider Electric', 'ProductCode': 'iEM3155', 'MajorMinorRevision': '1.4'})
    server = ModbusTcpServer(ModbusServerContext(slaves=unit, single=True), identity=identity,
                             address=('127.0.0.1', 0))
    serving = asyncio.create_task(server.serve_forever())
    while server.server is None:
        await asyncio.sleep(0.01)
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await serving

asyncio.run(serve(json.load(sys.stdin)))
