import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { JOBS_DIR, jobUnit, RECOVER_TIMER, WATCH_TIMER } from '../../src/shared/host-paths.ts'
import { backupSpec, BareEngine } from './bare-engine.ts'
import type { Guest } from './guest.ts'
import { heldAt } from './held.ts'
import type { LabHost } from './host.ts'
import { leftoversOf, takeBaseline, type Baseline } from './oracle.ts'
import { waitFor } from './run.ts'
import { testLab } from './test-lab.ts'

const MIB = 1024 * 1024
/** The watch looks every minute, on a machine that may be busy. */
const TAKEN_UP_MS = 600_000
const LIBVIRTD = 'libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket'
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 900_000 })

// Debian 12 has systemd 252, Debian 13 has 257, which kills what a unit does last with it.
describe.each(['alpha', 'gamma'])('a job on %s that dies with nobody left to tell of it', (name) => {
  let host: LabHost
  let engine: BareEngine
  let guest: Guest
  let before: Baseline

  beforeAll(async () => {
    host = testLab().host(name)
    engine = await BareEngine.on(host)
    guest = await host.defineGuest({ name: 'watched', ramMiB: 128, tickMs: 200 })
    await guest.start()
    await guest.waitForTick(5)
  })
  afterAll(async () => {
    await host.run(['virsh', 'destroy', guest.uuid])
    await engine.thinOut(guest)
    await guest.undefine()
  })

  beforeEach(async () => {
    before = await takeBaseline(host)
  })
  afterEach(async () => {
    await letTheUnitTell()
    await host.must(`systemctl start ${LIBVIRTD}`)
    expect(await leftoversOf(host, before, { roomTaken: 512 * MIB })).toEqual([])
    expect(await units()).toBe('')
    await guest.waitForMoreTicks(3)
  })

  const DROP_IN = `/run/systemd/system/${RECOVER_TIMER}.d`
  /** What a job's unit does last then does nothing. */
  const letTheUnitTellNobody = (): Promise<string> =>
    host.must(
      `mkdir -p ${DROP_IN} && printf '[Unit]\\nConditionPathExists=/nowhere\\n' > ${DROP_IN}/deaf.conf && systemctl daemon-reload`
    )
  const letTheUnitTell = (): Promise<string> => host.must(`rm -rf ${DROP_IN} && systemctl daemon-reload`)

  /** All that runs, waits or has failed. */
  const units = async (): Promise<string> =>
    (
      await host.must(
        "systemctl list-units --plain --no-legend --state=active,activating,deactivating,failed 'stillpoint-*'"
      )
    ).trim()

  const state = async (unit: string): Promise<string> =>
    (await host.must(['systemctl', 'show', '-p', 'ActiveState', '--value', unit])).trim()

  /** Its overlays in place. One that libvirtd leaves while it works would end itself. */
  async function heldJob(): Promise<string> {
    const id = await engine.submit(backupSpec(guest), 'copy.done:1:hold')
    await heldAt(host, 'copy.done', id)
    return id
  }

  const hasEnd = async (id: string): Promise<boolean> =>
    (await host.must(['cat', `${JOBS_DIR}/${id}/journal.jsonl`])).includes('"type":"end"')

  const isTakenUp = async (id: string): Promise<void> => {
    await waitFor('the end of the job', async () => ((await hasEnd(id)) ? true : undefined), {
      timeoutMs: TAKEN_UP_MS,
      everyMs: 500
    })
    expect(await engine.endOf(id)).toMatchObject({ state: 'failed-clean', failure: { kind: 'interrupted' } })
  }

  it('is taken up within minutes where all of its unit is killed, with what that does last', async () => {
    const id = await heldJob()
    await letTheUnitTellNobody()
    const unit = jobUnit(id)
    await host.must(
      `until [ "$(systemctl show -p ActiveState --value ${unit})" = inactive ]; do systemctl kill -s KILL ${unit} || :; done 2>/dev/null`
    )
    expect(await hasEnd(id)).toBe(false)
    expect(await state(RECOVER_TIMER)).toBe('inactive')
    expect(await state(WATCH_TIMER)).toBe('active')
    await isTakenUp(id)
  })

  it('is taken up where its engine is hung up on, which systemd takes for success, while libvirtd is away', async () => {
    const id = await heldJob()
    await host.must(`systemctl stop ${LIBVIRTD}`)
    await host.must(['systemctl', 'kill', '--kill-who=main', '-s', 'HUP', jobUnit(id)])
    await waitFor('its unit to end', async () => ((await state(jobUnit(id))) === 'inactive' ? true : undefined), {
      timeoutMs: TAKEN_UP_MS
    })
    expect(await hasEnd(id)).toBe(false)
    expect(await state(RECOVER_TIMER)).toBe('active')
    expect(await state(WATCH_TIMER)).toBe('active')
    await host.must(`systemctl start ${LIBVIRTD}`)
    await isTakenUp(id)
  })
})
