import { haveOneMachineId, isMachineId } from '../../../shared/model/machine-id.ts'
import type { Manifest } from '../../../shared/model/point.ts'
import type { HostRecord } from '../settings/settings-schema.ts'

/** Our hosts, by what points say of those that they were taken on: there are tens of thousands of points, and no list is walked for each. */
export class OurHosts {
  private readonly named: ReadonlyMap<string, HostRecord>
  private readonly alike: ReadonlyMap<string | undefined, readonly HostRecord[]>

  constructor(hosts: readonly HostRecord[]) {
    this.named = new Map(hosts.map((host) => [host.name, host]))
    this.alike = Map.groupBy(
      hosts.filter(({ machineId }) => isMachineId(machineId)),
      ({ machineId }) => machineId
    )
  }

  has(name: string): boolean {
    return this.named.has(name)
  }

  /**
   * A machine of that name that was rebuilt since is another one. Machines that were made from one image have one id: then the
   * name decides, and where none has that name it could be any of them.
   */
  allThatMayBe({ name, machineId }: Manifest['host']): readonly HostRecord[] {
    const named = this.named.get(name)
    if (named !== undefined && haveOneMachineId(named.machineId, machineId)) return [named]
    const alike = this.alike.get(machineId)
    if (alike !== undefined) return alike
    return named === undefined || (isMachineId(named.machineId) && isMachineId(machineId)) ? [] : [named]
  }

  /** Undefined: it is none of these, or could be several. */
  onlyThatMayBe(origin: Manifest['host']): HostRecord | undefined {
    const [home, ...more] = this.allThatMayBe(origin)
    return more.length === 0 ? home : undefined
  }
}
