import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 25

/**
 * Keeps the file's unwritten data short while QEMU writes it, until `ended` is aborted: libvirt lets the guest go on
 * only when the file is on disk, so what is still to be written then is time that the guest stands still.
 */
export async function keepWriteBackShort(path: string, ended: AbortSignal): Promise<void> {
  const file = await openWhenThere(path, ended)
  if (file === undefined) return
  try {
    while (!ended.aborted) {
      await file.datasync()
      await sleep(EVERY_MS)
    }
  } finally {
    await file.close()
  }
}

async function openWhenThere(path: string, ended: AbortSignal): Promise<FileHandle | undefined> {
  while (!ended.aborted) {
    try {
      return await open(path, 'r')
    } catch {
      await sleep(EVERY_MS)
    }
  }
  return undefined
}
