"""Modbus TCP devices that misbehave, and an honest one for comparison."""
import socketserver
import struct
import threading


class Device(socketserver.ThreadingTCPServer):
    """Answers every read with zeros; `fault` says what it does instead.

    silent: takes requests, says nothing.   short: half a frame.   garbage: no Modbus at all.
    exception: refuses with code 2.   wrong_unit: answers as another unit.
    """
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, fault=None):
        super().__init__(('127.0.0.1', 0), Conversation)
        self.fault = fault
        self.requests = 0
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def answer(self, request):
        transaction, _, _, unit, function = struct.unpack('>HHHBB', request[:8])
        if self.fault == 'garbage':
            return b'\x00' * 3 + b'HTTP/1.1 400 Bad Request\r\n\r\n'
        if self.fault == 'exception' or function not in (3, 4):
            body = struct.pack('>BBB', unit, function | 0x80, 2)
        else:
            words = struct.unpack('>H', request[10:12])[0]
            body = struct.pack('>BBB', unit, function, 2 * words) + bytes(2 * words)
        if self.fault == 'wrong_unit':
            body = bytes([unit % 247 + 1]) + body[1:]
        frame = struct.pack('>HHH', transaction, 0, len(body)) + body
        return frame[:len(frame) // 2] if self.fault == 'short' else frame


class Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        while request := self.request.recv(260):
            self.server.requests += 1
            if self.server.fault != 'silent':
                self.request.sendall(self.server.answer(request))
