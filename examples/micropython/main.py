# Joins the Wi-Fi, confirms a new firmware and asks for updates every two minutes.

import network
import random
import time

import skyslot_ota

CONFIG = {
    "server_url": "http://192.168.1.10:8080",
    "device_id": "scales-1",
    "device_type": "scales",
    "current_version": "1.0.0",  # of this firmware: change it with every release
}

wifi = network.WLAN(network.STA_IF)
wifi.active(True)
wifi.connect("network", "password")
while not wifi.isconnected():
    time.sleep(1)

skyslot_ota.confirm(CONFIG)
while True:
    try:
        skyslot_ota.check_and_update(CONFIG)
    except (OSError, skyslot_ota.UpdateError) as error:
        print("no update:", error)
    time.sleep(108 + random.getrandbits(8) % 25)  # not all devices of a fleet at once
