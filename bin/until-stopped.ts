/** Waits for SIGTERM or SIGINT, then for the node's own end. A second signal does not wait. */
export async function untilStopped(node: { stop(): Promise<void> }): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  process.once('SIGTERM', () => process.exit(1));
  process.once('SIGINT', () => process.exit(1));
  await node.stop();
}
