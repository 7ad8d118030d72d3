import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withHost } from '../../src/main/core/hosts/host-book.ts'
import { Notices } from '../../src/main/core/live/notices.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { writeHostKey } from '../../src/main/core/ssh/known-hosts.ts'

// One of several that are started at once: does so many of each, and ends well only if all was done.
const [folder = '', who = '', count = ''] = process.argv.slice(2)
const at = '2026-11-22T20:17:44.000Z'

const keyOf = (n: number): Buffer => {
  const key = Buffer.alloc(51)
  key.writeUInt32BE(11, 0)
  key.write('ssh-ed25519', 4)
  key.writeUInt32BE(32, 15)
  key.write(`${who} ${n}`, 19)
  return key
}

while (!existsSync(join(folder, 'go'))) await sleep(1)
const settings = openSettings(join(folder, 'settings'))
const notices = new Notices(join(folder, 'settings', 'notices.json'))
for (let n = 0; n < Number(count); n += 1) {
  const name = `${who}-${n}`
  settings.update((before) => withHost(before, { name, address: name, addedAt: at }))
  await writeHostKey(join(folder, 'settings'), `${name}.example`, 22, keyOf(n))
  notices.add({ id: name, at, host: who, severity: 'failure', title: name, text: '' })
}
