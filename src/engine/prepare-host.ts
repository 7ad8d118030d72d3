import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { DEFAULT_STORE, JOBS_DIR, RECOVER_UNIT, STATE_DIR } from '../shared/host-paths.ts'
import type { Shell } from '../shared/shell.ts'
import { expectZero } from './expect-zero.ts'
import { refreshPolicies } from './policy/policies.ts'

const UNIT_PATH = `/etc/systemd/system/${RECOVER_UNIT}`

/** The folders, the unit that recovers interrupted jobs after a boot, and those of policies. Safe to do again. */
export async function prepareHost(shell: Shell): Promise<void> {
  for (const path of [STATE_DIR, JOBS_DIR, DEFAULT_STORE]) mkdirSync(path, { recursive: true, mode: 0o700 })
  await ensureRecoverUnit(shell)
  await refreshPolicies(shell)
}

async function ensureRecoverUnit(shell: Shell): Promise<void> {
  if ((await readFile(UNIT_PATH, 'utf8').catch(() => '')) === unitText()) return
  await writeFile(UNIT_PATH, unitText())
  await expectZero(shell, ['systemctl', 'daemon-reload'])
  await expectZero(shell, ['systemctl', 'enable', '--quiet', RECOVER_UNIT])
}

/** Ordered behind every flavour of libvirt daemon; recovery waits for it to answer by itself. */
function unitText(): string {
  return `[Unit]
Description=Stillpoint: put right what an interrupted backup or restore left
After=libvirtd.service virtqemud.service network.target local-fs.target remote-fs.target

[Service]
Type=oneshot
ExecStart=${process.execPath} ${process.argv[1] ?? ''} recover
StandardInput=null
TimeoutStartSec=900

[Install]
WantedBy=multi-user.target
`
}
