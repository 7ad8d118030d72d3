import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { othersWhoWriteTo } from '../../src/engine/restore/who-writes.ts'
import { localShell } from '../../src/shell/local.ts'

/** As `setfacl -m u:1000:rwx` does, which not every machine has: tag, rights and id of each entry. */
const LET_USER_WRITE = `
import os, struct, sys
entries = [(1, 7, -1), (2, 7, 1000), (4, 5, -1), (16, 7, -1), (32, 5, -1)]
acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *entry) for entry in entries)
os.setxattr(sys.argv[1], 'system.posix_acl_access', acl)
`

it.runIf(process.geteuid?.() === 0)(
  'a folder of root lets others write by its access list, which only shows as rights of its group',
  async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'listed-')))
    onTestFinished(() => rm(folder, { recursive: true }))
    await chmod(folder, 0o775)
    expect(await othersWhoWriteTo(folder)).toBeUndefined()
    await localShell().run(['python3', '-c', LET_USER_WRITE, folder])
    expect(await othersWhoWriteTo(folder)).toBe(`others may write to ${folder} by its access list`)
  }
)
