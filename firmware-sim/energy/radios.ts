/** What a radio draws, from the battery's side, whatever the device does beside it. */
export interface Radio {
  readonly name: string;
  /** From asleep to the first packet and all the network's signalling for it. */
  readonly wakeMilliJoules: number;
  /** How long the radio stays up after the last packet; 0: it never sleeps. */
  readonly tailMs: number;
  readonly tailMilliwatts: number;
  /** More than the tail while a packet is on the air. */
  readonly sendMilliwatts: number;
  readonly receiveMilliwatts: number;
  readonly sleepMilliwatts: number;
  readonly source: string;
}

/**
 * A wake's energy in the sources includes its own short tail; `tailMs` is what that covers, so that
 * a packet within it costs only its airtime.
 */
export const radios: readonly Radio[] = [
  {
    name: 'mains',
    wakeMilliJoules: 0,
    tailMs: 0,
    tailMilliwatts: 0,
    sendMilliwatts: 0,
    receiveMilliwatts: 0,
    sleepMilliwatts: 0,
    source: 'no battery',
  },
  {
    name: 'nb-iot',
    wakeMilliJoules: 550,
    tailMs: 2_700,
    tailMilliwatts: 0,
    // 100-115 mA at 23 dBm, 3.7 V; reception at a tenth of it: estimate
    sendMilliwatts: 400,
    receiveMilliwatts: 40,
    // 2.7 uA at 3.7 V
    sleepMilliwatts: 0.01,
    source: 'nRF9160 datasheet: 550 mJ and 2.7 s for a tracking area update from PSM, 2.7 uA floor',
  },
  {
    name: 'lte-m',
    wakeMilliJoules: 105,
    tailMs: 1_500,
    tailMilliwatts: 0,
    sendMilliwatts: 400,
    receiveMilliwatts: 40,
    sleepMilliwatts: 0.01,
    source: 'nRF9160 datasheet: 105 mJ and 1.5 s for a tracking area update from PSM, 2.7 uA floor',
  },
  {
    name: 'gprs',
    // One second of set-up at the average data current: estimate
    wakeMilliJoules: 890,
    tailMs: 5_000,
    tailMilliwatts: 66,
    // 234-530 mA while it sends, 3.8 V
    sendMilliwatts: 1_450,
    receiveMilliwatts: 890,
    // 1.04-1.57 mA asleep
    sleepMilliwatts: 4.9,
    source: 'SIM800H/L hardware design V2.02, table 49: 17.4 mA idle, 234-530 mA data, 3.8 V',
  },
  {
    name: 'esp8266',
    wakeMilliJoules: 0,
    tailMs: 100,
    // 70 mA while it listens, 15 mA in modem sleep, 3.3 V
    tailMilliwatts: 231,
    sendMilliwatts: 560,
    receiveMilliwatts: 231,
    sleepMilliwatts: 49.5,
    source: 'Espressif forum t=133: rx 70 mA, modem sleep 15 mA; tail and send (170 mA): estimate',
  },
  {
    name: 'lora',
    wakeMilliJoules: 1,
    // RX1 and RX2 follow a frame by 1 and 2 s
    tailMs: 2_000,
    tailMilliwatts: 5,
    sendMilliwatts: 130,
    receiveMilliwatts: 38,
    sleepMilliwatts: 0.005,
    source: 'SX1276 class: 40 mA at 14 dBm, 11.5 mA reception, 3.3 V: estimate',
  },
  {
    name: '802.15.4',
    wakeMilliJoules: 0.5,
    tailMs: 125,
    tailMilliwatts: 6,
    sendMilliwatts: 60,
    receiveMilliwatts: 60,
    sleepMilliwatts: 0.01,
    source: 'CC2538 class, 20 mA both ways at 3 V, duty-cycled parent: estimate',
  },
  {
    name: 'ble',
    wakeMilliJoules: 0.05,
    tailMs: 50,
    tailMilliwatts: 1,
    sendMilliwatts: 18,
    receiveMilliwatts: 18,
    sleepMilliwatts: 0.006,
    source: 'nRF52 class, 6 mA both ways at 3 V: estimate',
  },
  {
    name: 'satellite',
    wakeMilliJoules: 5_000,
    tailMs: 5_000,
    tailMilliwatts: 200,
    sendMilliwatts: 2_000,
    receiveMilliwatts: 300,
    sleepMilliwatts: 0.1,
    source: 'RockBLOCK class, about 5 s at 1 W until the first byte: estimate',
  },
];

export function radioOf(name: string): Radio {
  const found = radios.find((radio) => radio.name === name);
  if (found === undefined) throw new Error(`there is no radio ${name}`);
  return found;
}
