// Follows one market as a user of ws would: with compression or without, pinging, in fragments, until it has a number of messages; prints
// one JSON object of what it saw. Usage: node ws-client.js URL CHANNEL MESSAGES deflate|plain
'use strict';
const { WebSocket } = require('ws');

const [url, channel, count, mode] = process.argv.slice(2);
const socket = new WebSocket(url, { perMessageDeflate: mode === 'deflate' });
const seen = { extensions: '', replies: [], messages: [], pong: null, close: null };

socket.on('open', () => {
  seen.extensions = socket.extensions;
  socket.ping('are you there');
  const request = JSON.stringify({ action: 'subscribe', channel });
  socket.send(request.slice(0, 7), { fin: false });
  socket.send(request.slice(7), { fin: true });
});
socket.on('pong', data => { seen.pong = data.toString(); });
socket.on('message', data => {
  const message = JSON.parse(data);
  if (message.type) seen.replies.push(message.type);
  else seen.messages.push(message.streamSequence);
  if (seen.messages.length === Number(count)) socket.close(4000, 'enough');
});
socket.on('close', code => {
  seen.close = code;
  console.log(JSON.stringify(seen));
});
socket.on('error', error => {
  console.error(error);
  process.exitCode = 1;
});
