# Runs a command beside an interface with multicast, 10.9.0.1 in a network with nobody else in it: `unshare -rn python3 own-network.py COMMAND …`.
# A tap that somebody holds open counts as connected, and exists where a dummy interface does not.

import fcntl
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000

with open("/dev/net/tun", "r+b", buffering=0) as tap:
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", b"home", IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "address", "add", "10.9.0.1/24", "dev", "home"], check=True)
    subprocess.run(["ip", "link", "set", "home", "up", "multicast", "on"], check=True)
    sys.exit(subprocess.run(sys.argv[1:]).returncode)
