import { aedes } from './aedes.js';
import type { BrokerKind } from './broker.js';
import { dunlin } from './dunlin.js';
import { floor } from './floor.js';
import { mosquitto } from './mosquitto.js';
import type { BrokerName } from './names.js';

/** `dunlinFolder` is a checkout with a built Dunlin in it, if not this one is meant. */
export function brokerKind(name: BrokerName, dunlinFolder: string | undefined): BrokerKind {
  switch (name) {
    case 'dunlin':
      return dunlin(dunlinFolder);
    case 'mosquitto':
    case 'mosquitto-nodelay':
      return mosquitto(name);
    case 'aedes':
    case 'aedes-level':
      return aedes(name);
    case 'floor':
      return floor;
  }
}
