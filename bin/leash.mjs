/** A process that was started with a channel, by the command's wrapper or by a sweep, ends with the one that started it. */
import { isMainThread } from 'node:worker_threads';

// `send` tells that there was a channel; it may have closed before the first line of ours ran.
if (isMainThread && process.send !== undefined) {
  if (!process.connected) process.exit(1);
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}
