import { type Behaviour, PLAIN } from './behaviour.js';

const PUBSUBCLIENT: Behaviour = {
  ...PLAIN,
  name: 'pubsubclient',
  // Keep alive .h:20-36, PINGREQ only after it .cpp:373; oversize is dropped at .cpp:364.
  source: 'PubSubClient 2.8, 2d228f2 (PubSubClient.h:20-36, .cpp:266-268, 364, 373, 515); run',
  receiveBytesMax: 256,
  // Four bytes and nothing else: .cpp:266-268.
  connackBytes: 4,
  oversize: 'ignore',
  sendBytesMax: 256,
  publishQosMax: 0,
  keepAliveSeconds: 15,
  pingrespMsMax: 15_000,
  connackMsMax: 15_000,
  inFlightMax: 1,
  reconnect: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
};

const ESP_MQTT: Behaviour = {
  ...PLAIN,
  name: 'esp-mqtt',
  // A packet that pauses for about a second in the middle ends the connection: 1624-1631.
  source: 'esp-mqtt 5a9ba05 (mqtt_config.h; mqtt_client.c:787-812, 851-858, 1624-1631, 2120-2134)',
  keepAliveSeconds: 120,
  pingAt: 0.5,
  pingAfter: 'ping',
  packetPauseMsMax: 1_000,
  connackMsMax: 10_000,
  packetIdentifiers: 'scattered',
  unacknowledgedMsMax: 30_000,
  resends: { afterMs: 1_000, what: 'oldest', subscribe: true, dup: true },
  reconnect: { firstMs: 10_000, factor: 1, maxMs: 10_000 },
};

/**
 * Libraries as their own source has them (read at the commits named) or as their builds behaved
 * when they were run ("run"). File and line are of that library's source.
 */
export const libraries: readonly Behaviour[] = [
  PLAIN,
  PUBSUBCLIENT,
  {
    ...PUBSUBCLIENT,
    name: 'pubsubclient-streaming',
    // publish_P and streaming: one byte a write, past the buffer, .cpp:515
    source: 'PubSubClient 2.8, 2d228f2, with publish_P or beginPublish (.cpp:515); run',
    sendBytesMax: Number.POSITIVE_INFINITY,
    writes: 'bytes',
  },
  {
    ...PLAIN,
    name: 'arduino-mqtt',
    source: 'arduino-mqtt 40739ea (MQTTClient.h:73-99; 1000 ms command timeout); run',
    receiveBytesMax: 128,
    sendBytesMax: 128,
    oversize: 'close',
    writes: 'header-then-payload',
    keepAliveSeconds: 10,
    pingrespMsMax: 10_000,
    connackMsMax: 1_000,
    ackMsMax: 1_000,
    inFlightMax: 1,
    knowsQos2Duplicates: false,
    reconnect: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
  },
  {
    ...PLAIN,
    name: 'lwmqtt',
    source: 'lwmqtt d251f7d (client.c:494-501: header and payload in two writes); run',
    receiveBytesMax: 128,
    sendBytesMax: 128,
    oversize: 'close',
    writes: 'header-then-payload',
    keepAliveSeconds: 10,
    pingrespMsMax: 10_000,
    connackMsMax: 1_000,
    ackMsMax: 1_000,
    inFlightMax: 1,
    knowsQos2Duplicates: false,
  },
  {
    ...PLAIN,
    name: 'async-mqtt-client',
    // One packet without acknowledgement at a time, SUBSCRIBE included: .cpp:421-431. PUBCOMP only
    // for what it has: 616; an unprovoked PUBREC is its end: 350-356.
    source: 'AsyncMqttClient 89bf464 (.cpp:21-58, 339-342, 350-356, 421-431, 616)',
    unknownPubrecCrashes: true,
    pubrelUnknown: 'ignore',
    topicBytesMax: 128,
    keepAliveSeconds: 15,
    pingAt: 0.7,
    pingAfter: 'silence',
    pingrespMsMax: 22_500,
    inFlightMax: 1,
    reconnect: { firstMs: 2_000, factor: 1, maxMs: 2_000 },
  },
  {
    ...PLAIN,
    name: 'espmqttclient',
    source:
      'espMqttClient 1.7.3, decfa51 (Config.h; MqttClient.cpp:469-498, 566-577, 617-640); run',
    topicBytesMax: 128,
    keepAliveSeconds: 15,
    pingrespMsMax: 15_000,
    resends: { afterMs: 10_000, what: 'all', subscribe: true, dup: true },
    acksInOrderOnly: true,
    pubrelUnknown: 'ignore',
    reconnect: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
  },
  ESP_MQTT,
  {
    ...ESP_MQTT,
    name: 'esp-mqtt-5',
    source: 'esp-mqtt 5a9ba05 with MQTT 5, where it sends again as well (against 4.4.0-1)',
    version: 5,
  },
  {
    ...PLAIN,
    name: 'coremqtt-2',
    // The rest of a CONNACK within 10 ms: core_mqtt.c:1251. Larger packets are thrown away.
    source: 'coreMQTT 2.3.1, 2beef04 (core_mqtt.c:1251, 1449-1478); run',
    receiveBytesMax: 1_024,
    oversize: 'ignore',
    connackPauseMsMax: 10,
    pingsAtOnce: true,
    // After 30 s without a packet either way.
    pingAfter: 'silence',
    pingMsMax: 30_000,
    pingrespMsMax: 5_000,
    connackMsMax: 10_000,
  },
  {
    ...PLAIN,
    name: 'coremqtt-5',
    source: 'coreMQTT 5.0.2, 04845c6 (core_mqtt.c:1251, 2443; serializer_private.c:48); run',
    version: 5,
    receiveBytesMax: 1_024,
    oversize: 'close',
    connackPauseMsMax: 10,
    writes: 'fields',
    pingsAtOnce: true,
    // After 30 s without a packet either way.
    pingAfter: 'silence',
    pingMsMax: 30_000,
    pingrespMsMax: 5_000,
    connackMsMax: 10_000,
  },
  {
    ...PLAIN,
    name: 'wolfmqtt',
    source: 'wolfMQTT 2.1.1-dev, e64c1ac (mqtt_client.c:3537; examples: 60 s); run',
    version: 5,
    pingAt: 0.75,
    connackMsMax: 30_000,
  },
  {
    ...PLAIN,
    name: 'mqtt-c',
    // SUBSCRIBE travels with CONNECT; everything again after 30 s, QoS 2 without DUP: 531-615.
    // PUBREL is looked up in the queue, which mqtt_reinit has emptied: MQTT_ERROR_ACK_OF_UNKNOWN.
    source:
      'MQTT-C 7a986a6 (mqtt.c:531-615, 634; mqtt_reinit, __mqtt_recv; examples 2048/1024 B, 400 s); run',
    receiveBytesMax: 1_024,
    oversize: 'close',
    pipelines: true,
    keepAliveSeconds: 400,
    resends: { afterMs: 30_000, what: 'all', subscribe: true, dup: false },
    unknownAckIsFatal: true,
    forgetsAtReconnect: true,
  },
  {
    ...PLAIN,
    name: 'paho-embedded-c',
    source: 'paho.mqtt.embedded-c 32ad8d0 (MQTTClient.c:41, 134, 646; sample: 3.1, 10 s); run',
    version: 3,
    receiveBytesMax: 100,
    oversize: 'close',
    keepAliveSeconds: 10,
    packetPauseMsMax: 1_000,
    connackMsMax: 1_000,
    ackMsMax: 1_000,
    inFlightMax: 1,
    knowsQos2Duplicates: false,
  },
  {
    ...PLAIN,
    name: 'zephyr',
    source: 'Zephyr mqtt.c 6d9dc0b, mqtt_rx.c 02f24e4, Kconfig f9dbd3c (60 s; headers must fit)',
    receiveBytesMax: 256,
    oversize: 'close',
  },
  {
    ...PLAIN,
    name: 'lwip',
    // Fixed header, topic and identifier in one segment: mqtt.c:887-932, 721-731.
    source: 'lwIP 3d896ba (apps/mqtt/mqtt.c:721-731, 887-932, 1375; mqtt_opts.h:55-65); run',
    parser: 'header-in-one-segment',
    sendBytesMax: 256,
    topicBytesMax: 128,
    keepAliveSeconds: 60,
    inFlightMax: 4,
    knowsQos2Duplicates: false,
    reconnect: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
  },
  {
    ...PLAIN,
    name: 'mongoose',
    // Keep alive 0 and not clean, with an identifier by chance each time: mqtt.c:271-300.
    source: 'Mongoose 282ae0d (mqtt.c:271-300, 466); run',
    receiveBytesMax: 3 * 1024 * 1024,
    oversize: 'close',
    keepAliveSeconds: 0,
    clean: false,
    identifiers: 'new-each-time',
    knowsQos2Duplicates: false,
  },
  {
    ...PLAIN,
    name: 'netx-duo',
    // NXD_MQTT_PING_TIMEOUT_DELAY is one second.
    source: 'NetX Duo bd5d12e (nxd_mqtt_client.c:4852; window 8192)',
    publishQosMax: 1,
    pingAt: 0.98,
    pingrespMsMax: 1_000,
    receiveBytesMax: 8_192,
  },
  {
    ...PLAIN,
    name: 'tinygsm-pubsubclient',
    // Each write is one AT+CIPSEND; how long that takes: estimate.
    source: 'TinyGSM 4c55210 (TinyGsmTCP.tpp:19; SIM800.h:362) under PubSubClient 2.8',
    receiveBytesMax: 256,
    connackBytes: 4,
    sendBytesMax: 256,
    publishQosMax: 0,
    oversize: 'ignore',
    writeMs: 100,
    keepAliveSeconds: 15,
    pingrespMsMax: 15_000,
    connackMsMax: 15_000,
    inFlightMax: 1,
    reconnect: { firstMs: 10_000, factor: 1, maxMs: 10_000 },
  },
  {
    ...PLAIN,
    name: 'tasmota',
    source: 'Tasmota xdrv_02_9_mqtt.ino 00c0639, my_user_config.h 0047013 (1200 B, 30 s, 4 s)',
    receiveBytesMax: 1_200,
    connackBytes: 4,
    sendBytesMax: 1_200,
    publishQosMax: 0,
    oversize: 'ignore',
    keepAliveSeconds: 30,
    pingrespMsMax: 30_000,
    connackMsMax: 4_000,
    inFlightMax: 1,
    reconnect: { firstMs: 10_000, factor: 2, maxMs: 120_000 },
  },
  {
    ...PLAIN,
    name: 'esphome',
    source: 'ESPHome 33fdbbe (4096 B, 15 s, reconnect after 5 s)',
    receiveBytesMax: 4_096,
    oversize: 'ignore',
    keepAliveSeconds: 15,
    reconnect: { firstMs: 5_000, factor: 1, maxMs: 5_000 },
  },
  {
    ...PLAIN,
    name: 'zigbee2mqtt',
    source: 'Zigbee2MQTT 6835cbf (lib/mqtt.ts: MQTT.js, 60 s, reconnect after 1 s)',
    reconnect: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
    inFlightMax: 65_535,
  },
];

export function behaviourOf(name: string): Behaviour {
  const found = libraries.find((behaviour) => behaviour.name === name);
  if (found === undefined) {
    const names = libraries.map((behaviour) => behaviour.name).join(', ');
    throw new Error(`there is no behaviour ${name}; there are ${names}`);
  }
  return found;
}
