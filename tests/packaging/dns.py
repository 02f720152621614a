#!/usr/bin/env python3
"""A name server that knows one name.

usage: dns.py ADDRESS NAME IPV4      answers NAME with IPV4, AAAA with nothing, any other name with "no such name"
"""

import socket
import struct
import sys


def main():
    address, name, ip = sys.argv[1:]
    wire = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        query, client = server.recvfrom(512)
        question = query[12:].split(b"\0", 1)[0] + b"\0"
        kind = query[12 + len(question):16 + len(question)]
        known = question.lower() == wire
        found = known and kind == b"\0\1\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(ip) if found else b""
        flags = 0x8180 if known else 0x8183
        server.sendto(query[:2] + struct.pack(">5H", flags, 1, int(found), 0, 0) + question + kind + answer, client)


main()
