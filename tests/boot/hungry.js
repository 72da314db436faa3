// The example's service, which takes memory until PM2 steps in when it is asked to.
'use strict';

const hoard = [];
process.on('SIGUSR2', () => {
  setInterval(() => hoard.push(Buffer.alloc(20 * 1024 * 1024, 1)), 100);
});
require('./server.js');
