/** wrangler may close the channel itself when it has failed; it then has this long to say why. */
const GRACE_MS = 1000;

// Loaded into wrangler ahead of its own code. The channel to the process that started it closes when that one is gone,
// even killed: no Worker stays behind on its port.
process.once("disconnect", () => setTimeout(() => process.exit(1), GRACE_MS).unref());
// To listen must not keep wrangler from ending.
process.channel?.unref();
