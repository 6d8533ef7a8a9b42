#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A VNC client (RFC 6143) for tests: pictures as they are, keys, pointer."""
import socket
import struct
import sys
import time


class Rfb:
    """One connection, without authentication or with none asked for."""

    def __init__(self, address):
        host, port = address.rsplit(':', 1)
        if host == 'unix':
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(port)
        else:
            self.sock = socket.create_connection((host, int(port)))
        self.sock.settimeout(60)
        self.take(12)
        self.sock.sendall(b'RFB 003.008\n')
        types = self.take(self.take(1)[0])
        if 1 not in types:
            raise PermissionError('the server wants a password')
        self.sock.sendall(b'\x01')
        if struct.unpack('>I', self.take(4))[0]:
            raise PermissionError('refused')
        self.sock.sendall(b'\x01')  # shared
        self.width, self.height = struct.unpack('>HH', self.take(4))
        self.take(16)
        self.name = self.take(struct.unpack('>I', self.take(4))[0])
        # 32 bits, little endian, 0x00RRGGBB
        self.sock.sendall(struct.pack('>BxxxBBBBHHHBBBxxx', 0, 32, 24, 0, 1,
                                      255, 255, 255, 16, 8, 0))
        # raw rectangles, and the new size of the screen
        self.sock.sendall(struct.pack('>BxHii', 2, 2, 0, -223))
        self.rows = {}

    def take(self, length):
        """Exactly @length bytes."""
        data = b''
        while len(data) < length:
            part = self.sock.recv(length - len(data))
            if not part:
                raise EOFError('the server has closed the connection')
            data += part
        return data

    def request(self, incremental):
        """Ask for the whole screen, or for what has changed."""
        self.sock.sendall(struct.pack('>BBHHHH', 3, incremental, 0, 0,
                                      self.width, self.height))

    def update(self):
        """Take one update; returns the pixels that were sent."""
        while True:
            kind = self.take(1)[0]
            if kind == 0:
                break
            if kind == 3:  # cut text
                self.take(3)
                self.take(struct.unpack('>I', self.take(4))[0])
        self.take(1)
        sent = 0
        for _ in range(struct.unpack('>H', self.take(2))[0]):
            x, y, width, height, encoding = struct.unpack('>HHHHi',
                                                          self.take(12))
            if encoding == -223:
                self.width, self.height = width, height
                self.rows = {}
                continue
            sent += width * height
            for row in range(y, y + height):
                line = self.rows.setdefault(row, bytearray(self.width * 4))
                line[4 * x:4 * (x + width)] = self.take(4 * width)
        return sent

    def picture(self):
        """The whole screen as it is now: rows of pixels."""
        while True:
            self.request(0)
            self.update()
            if len(self.rows) == self.height:
                break
        return [struct.unpack('<%dI' % self.width, bytes(self.rows[y]))
                for y in range(self.height)]

    def key(self, keysym, down):
        """A key goes down or up."""
        self.sock.sendall(struct.pack('>BBxxI', 4, down, keysym))

    def type(self, text):
        """Type a line; capitals and signs with Shift."""
        shifted = '~!@#$%^&*()_+{}|:"<>?ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        for char in text:
            sym = 0xff0d if char == '\n' else ord(char)
            if char in shifted:
                self.key(0xffe1, 1)
            self.key(sym, 1)
            self.key(sym, 0)
            if char in shifted:
                self.key(0xffe1, 0)

    def pointer(self, x, y, buttons=0):
        """The pointer is at a pixel, with these buttons down."""
        self.sock.sendall(struct.pack('>BBHH', 5, buttons, x, y))


def save(picture, path):
    """Write a picture as a PPM file."""
    with open(path, 'wb') as out:
        out.write(b'P6 %d %d 255\n' % (len(picture[0]), len(picture)))
        for row in picture:
            out.write(b''.join(struct.pack('>I', p)[1:] for p in row))


if __name__ == '__main__':
    client = Rfb(sys.argv[1])
    save(client.picture(), sys.argv[2])
