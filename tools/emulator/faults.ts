import type { Fault } from "./fault-schema.ts";

/** A fault that waits for its exchange; `times` counts those it is still good for, null without end. */
export type ArmedFault = Fault & { readonly id: string };

/** The armed faults of one emulator. */
export type FaultQueue = ReturnType<typeof createFaultQueue>;

/** Makes the queue of armed faults. The oldest that fits an exchange is the one that strikes. */
export function createFaultQueue() {
  let armed: readonly ArmedFault[] = [];
  let count = 0;

  return {
    /** Puts a fault at the end of the queue, under an id of its own. */
    arm(fault: Fault): ArmedFault {
      count += 1;
      const added = { id: `fault-${count}`, ...fault };
      armed = [...armed, added];
      return added;
    },

    /** Uses up one turn of the first fault for this app; a fault without a client id is for all. */
    take(clientId: string | undefined): ArmedFault | undefined {
      const taken = armed.find((fault) => fault.client_id === undefined || fault.client_id === clientId);
      if (taken !== undefined) armed = armed.flatMap((fault) => (fault === taken ? oneLess(fault) : [fault]));
      return taken;
    },

    /** The faults that were armed for this app, or all of them, in the order in which they strike. */
    list(clientId: string | undefined): readonly ArmedFault[] {
      return armed.filter((fault) => clientId === undefined || fault.client_id === clientId);
    },

    /** Disarms the faults that were armed for this app, or all of them, and tells how many there were. */
    clear(clientId: string | undefined): number {
      const kept = armed.filter((fault) => clientId !== undefined && fault.client_id !== clientId);
      const cleared = armed.length - kept.length;
      armed = kept;
      return cleared;
    },
  };
}

function oneLess(fault: ArmedFault): ArmedFault[] {
  if (fault.times === null) return [fault];
  return fault.times === 1 ? [] : [{ ...fault, times: fault.times - 1 }];
}
