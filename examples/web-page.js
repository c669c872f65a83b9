// A page that talks MQTT: the broker listens for WebSocket, a small HTTP server hands out the page.
//
//   node examples/web-page.js [HTTP port] [ws://127.0.0.1:8083/mqtt]
//
// Open the page in two windows and press the button.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createBroker } from 'dunlin';

const [httpPort = '8080', webSocketUrl = 'ws://127.0.0.1:8083/mqtt'] = process.argv.slice(2);
const broker = await createBroker({ listen: [webSocketUrl] });
const mqttJs = readFileSync(createRequire(import.meta.url).resolve('mqtt/dist/mqtt.min'));

const page = `<!doctype html>
<meta charset="utf-8">
<title>Dunlin</title>
<button>Ring</button>
<ul></ul>
<script src="mqtt.js"></script>
<script>
  const client = mqtt.connect('${broker.addresses[0]}');
  client.subscribe('bell');
  client.on('message', (topic, payload) => {
    document.querySelector('ul').append(Object.assign(document.createElement('li'), {
      textContent: topic + ': ' + payload,
    }));
  });
  document.querySelector('button').onclick = () => {
    client.publish('bell', new Date().toLocaleTimeString());
  };
</script>
`;

const server = createServer((request, response) => {
  const isScript = request.url === '/mqtt.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? mqttJs : page);
});
server.listen(Number(httpPort), '127.0.0.1', () => {
  console.log(`open http://127.0.0.1:${server.address().port}/`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await broker.close();
  });
}
