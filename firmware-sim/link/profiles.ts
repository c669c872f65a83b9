import { type LinkProfile, NO_LIMIT } from './profile.js';

/** The headers of IPv4 and TCP without options. */
const TCP_HEADERS = 40;

/**
 * Links as devices have them. A rate or latency marked "estimate" is an engineer's; everything else
 * is from the source named. Latency is one way, half of the round trip the source gives.
 */
export const linkProfiles: readonly LinkProfile[] = [
  NO_LIMIT,
  {
    name: 'serial-9600',
    // 8N1: ten bits a byte. A serial line has no segments: each byte comes alone.
    upBytesPerSecond: 960,
    downBytesPerSecond: 960,
    latencyMs: 1,
    jitterMs: 0,
    segmentBytes: 1,
    headerBytes: 0,
    radio: 'mains',
    source: '9600 baud, 8N1, by arithmetic; confirmed with an ATmega328P at its true baud rate',
  },
  {
    name: 'gprs',
    upBytesPerSecond: 2_500,
    downBytesPerSecond: 5_000,
    latencyMs: 350,
    jitterMs: 250,
    segmentBytes: 536,
    headerBytes: TCP_HEADERS,
    stall: { everyMs: 60_000, forMs: 4_000 },
    radio: 'gprs',
    source:
      'GPRS measurement papers (Kilpi and Mannersalo; 31.5 kbit/s on 3 slots, RTT 0.6-1.2 s); ' +
      'up rate and cell reselection stalls: estimate',
  },
  {
    name: 'nb-iot',
    upBytesPerSecond: 2_000,
    downBytesPerSecond: 3_000,
    latencyMs: 800,
    jitterMs: 700,
    segmentBytes: 512,
    headerBytes: TCP_HEADERS,
    stall: { everyMs: 90_000, forMs: 8_000 },
    radio: 'nb-iot',
    source:
      'Ugwuanyi et al., Electronics 10(18) 2224 (0.84 s); Soracom (up to 30 s); ' +
      'rates well below the 26/62 kbit/s peak of Rel-13, and stalls: estimate',
  },
  {
    name: 'lte-m',
    upBytesPerSecond: 40_000,
    downBytesPerSecond: 40_000,
    latencyMs: 60,
    jitterMs: 60,
    segmentBytes: 1_200,
    headerBytes: TCP_HEADERS,
    radio: 'lte-m',
    source: 'Nordic nRF9160 documentation (50-120 ms connected, MSS 1280-1400); rates: estimate',
  },
  {
    name: 'lora-sf7',
    // A frame of 64 bytes (51 of payload and 13 of LoRaWAN) takes 118 ms.
    upBytesPerSecond: 542,
    downBytesPerSecond: 542,
    latencyMs: 20,
    jitterMs: 20,
    segmentBytes: 51,
    headerBytes: 13,
    radio: 'lora',
    source: "Semtech's airtime formula, 125 kHz, 4/5, preamble 8; a backhaul without duty cycle",
  },
  {
    name: 'lora-sf12',
    // A frame of 64 bytes takes 2793 ms.
    upBytesPerSecond: 22.9,
    downBytesPerSecond: 22.9,
    latencyMs: 20,
    jitterMs: 20,
    segmentBytes: 51,
    headerBytes: 13,
    radio: 'lora',
    source: "Semtech's airtime formula, 125 kHz, 4/5, preamble 8; a backhaul without duty cycle",
  },
  {
    name: '6lowpan',
    upBytesPerSecond: 3_000,
    downBytesPerSecond: 3_000,
    latencyMs: 60,
    jitterMs: 80,
    segmentBytes: 64,
    headerBytes: 24,
    radio: '802.15.4',
    source:
      'RFC 4944 and draft-thubert-6lowpan-simple-fragment-recovery (74-102 B a frame); ' +
      'docs.kernel.org ieee802154; rates: estimate',
  },
  {
    name: 'ble',
    upBytesPerSecond: 8_000,
    downBytesPerSecond: 8_000,
    latencyMs: 40,
    jitterMs: 30,
    segmentBytes: 200,
    headerBytes: 16,
    radio: 'ble',
    source: 'connection interval of 30-50 ms, 20-244 B a packet: estimate',
  },
  {
    name: 'esp8266-power-save',
    upBytesPerSecond: 250_000,
    downBytesPerSecond: 250_000,
    latencyMs: 5,
    jitterMs: 15,
    // Modem sleep: the station hears of a packet with the next DTIM beacon.
    downJitterMs: 300,
    segmentBytes: 536,
    headerBytes: TCP_HEADERS,
    radio: 'esp8266',
    source:
      'bbs.espressif.com t=133 (DTIM 3), esp8266.com p=84604; MSS 536 of lwIP v2 lower memory',
  },
  {
    name: 'home-wifi',
    upBytesPerSecond: 2_000_000,
    downBytesPerSecond: 2_000_000,
    latencyMs: 2,
    jitterMs: 4,
    segmentBytes: 1_436,
    headerBytes: TCP_HEADERS,
    radio: 'mains',
    source: 'a mains-powered station that never sleeps, MSS 1436 of ESP32 lwIP: estimate',
  },
  {
    name: 'satellite',
    upBytesPerSecond: 1_000,
    downBytesPerSecond: 1_000,
    latencyMs: 900,
    jitterMs: 600,
    segmentBytes: 340,
    headerBytes: TCP_HEADERS,
    stall: { everyMs: 30_000, forMs: 6_000 },
    radio: 'satellite',
    source: 'RockBLOCK (340 B a message); rates, latency and sky view: estimate',
  },
  {
    name: 'lwip-tiny',
    upBytesPerSecond: 100_000,
    downBytesPerSecond: 100_000,
    latencyMs: 10,
    jitterMs: 5,
    segmentBytes: 536,
    windowBytes: 1_072,
    headerBytes: TCP_HEADERS,
    radio: 'mains',
    source: "lwIP's smallest set-up: TCP_MSS 536, TCP_WND two segments (opt.h); latency: estimate",
  },
];

export function linkProfile(name: string): LinkProfile {
  const found = linkProfiles.find((profile) => profile.name === name);
  if (found === undefined) {
    const names = linkProfiles.map((profile) => profile.name).join(', ');
    throw new Error(`there is no link profile ${name}; there are ${names}`);
  }
  return found;
}

/** Every byte in a segment of its own, nothing else changed. */
export function byteSplit(profile: LinkProfile): LinkProfile {
  // Headers would cost forty times the payload, so the segment keeps the share it had.
  const share = profile.headerBytes / profile.segmentBytes;
  return { ...profile, segmentBytes: 1, headerBytes: share };
}
