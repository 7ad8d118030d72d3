import type { LabHost } from '../lab/host.ts'
import { sleep } from '../lab/run.ts'
import type { HostFault } from './plan.ts'

const STOPPED_FOR_MS = 5000

/** Befalls the host now. What it answers ends later: a libvirtd that stands still goes on then. */
export async function befall(host: LabHost, fault: HostFault): Promise<{ readonly over: Promise<unknown> }> {
  switch (fault) {
    case 'libvirtd-killed':
      await host.must(['systemctl', 'kill', '--kill-who=main', '-s', 'KILL', 'libvirtd'])
      return { over: Promise.resolve() }
    case 'libvirtd-restarted':
      await host.must(['systemctl', 'restart', 'libvirtd'])
      return { over: Promise.resolve() }
    case 'libvirtd-stopped':
      await host.must(['systemctl', 'kill', '--kill-who=main', '-s', 'STOP', 'libvirtd'])
      return { over: sleep(STOPPED_FOR_MS).then(() => host.must('systemctl kill --kill-who=main -s CONT libvirtd')) }
    case 'power-cut':
      await host.reset()
      return { over: Promise.resolve() }
  }
}
