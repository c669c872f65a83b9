export const brokerNames = [
  'dunlin',
  'mosquitto',
  'mosquitto-nodelay',
  'aedes',
  'aedes-level',
  'floor',
] as const;

export type BrokerName = (typeof brokerNames)[number];
