import type { LabHost } from '../lab/host.ts'
import { SMALL, TIGHT } from './places.ts'
import type { RoomFault } from './plan.ts'

const FULL: Readonly<Record<RoomFault, string>> = { 'store-full': TIGHT, 'images-full': SMALL }
const FILLER = 'filler'

/** Somebody takes all the room that there is, at once. */
export async function fillUp(host: LabHost, fault: RoomFault): Promise<void> {
  const path = FULL[fault]
  await host.run(
    `fallocate -l $(df -B1 --output=avail ${path} | tail -n 1) ${path}/${FILLER}; dd if=/dev/zero of=${path}/${FILLER} bs=4096 oflag=append conv=notrunc status=none`
  )
}

/** And gives it back. */
export async function giveRoom(host: LabHost, fault: RoomFault): Promise<void> {
  await host.run(['rm', '-f', `${FULL[fault]}/${FILLER}`])
}
