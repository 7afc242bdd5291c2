/** The admin channel within one process. */
import { LocalAdminChannel } from '../../../cluster/admin/local-channel.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { channelContract } from './channel-contract.ts';

channelContract('in one process', async () => {
  const channel = new LocalAdminChannel(memoryLog());
  return { operator: channel, nodes: channel, close: async () => {} };
});
