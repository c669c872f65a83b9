"""Speaks to a broker through Paho Python and tells what it saw, one line each.

    round_trip.py PORT VERSION CLIENTID TOPIC publish|subscribe|receive COUNT

publish    sends COUNT messages at each QoS
subscribe  makes a lasting session with a subscription at QoS 2, and leaves
receive    comes back to that session and prints COUNT messages as "qos payload"
"""

import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

WAIT_SECONDS = 10
SESSION_SECONDS = 3600

port, version, client_id, topic, action, count = sys.argv[1:7]
version = int(version)
left = int(count)
connected = threading.Event()
subscribed = threading.Event()
received = threading.Event()


def on_connect(_client, _userdata, flags, code, _properties=None):
    if int(getattr(code, "value", code)) != 0:
        sys.exit(f"refused: {code}")
    print("session present", flags["session present"], flush=True)
    connected.set()


def on_subscribe(*_arguments):
    subscribed.set()


def on_message(_client, _userdata, message):
    global left
    print(message.qos, message.payload.decode(), flush=True)
    left -= 1
    if left == 0:
        received.set()


def wait(event, what):
    if not event.wait(WAIT_SECONDS):
        sys.exit(f"{what}: nothing in time")


if version == 5:
    client = mqtt.Client(client_id=client_id, protocol=mqtt.MQTTv5)
else:
    client = mqtt.Client(client_id=client_id, protocol=version, clean_session=False)
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
if version == 5:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_SECONDS
    client.connect("127.0.0.1", int(port), clean_start=False, properties=properties)
else:
    client.connect("127.0.0.1", int(port))
client.loop_start()
wait(connected, "connect")
if action == "publish":
    for qos in (0, 1, 2):
        for index in range(int(count)):
            client.publish(topic, str(index), qos=qos).wait_for_publish()
elif action == "subscribe":
    client.subscribe(topic, qos=2)
    wait(subscribed, "subscribe")
else:
    wait(received, "receive")
client.disconnect()
client.loop_stop()
