/** A worker thread that echoes datagrams with the addon until it is told how to end. Its data: how. */
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { nativeAddon } from '../../src/kernel/native/native.ts';
import { boundUdp, portOf } from './native.ts';

const socket = boundUdp();
socket.startReading(
  { maxSize: 64, batch: 64 },
  {
    onBatch: (batch) => {
      for (let i = 0; i < batch.count; i++) socket.send(batch.bytes(i), batch.source(i));
      if (workerData === 'exit') process.exit(3);
      if (workerData === 'throw') throw new RangeError('thrown in a callback');
      if (workerData === 'close') socket.close();
    },
    onError: (error) => {
      throw error;
    },
  },
);
// One that nobody closes and nobody reads: it is closed when the thread ends.
nativeAddon().openSocket(2, 2, 0);
parentPort?.postMessage(portOf(socket));
