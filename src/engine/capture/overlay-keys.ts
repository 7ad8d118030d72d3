import { randomBytes, randomUUID } from 'node:crypto'
import { fail } from '../../shared/failure.ts'
import { Uuid } from '../../shared/model/ids.ts'
import type { Method } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import type { XmlDisk } from '../../libvirt/domain-xml.ts'
import { loginsIn } from '../../libvirt/network-source.ts'
import {
  canAddKeys,
  encryptedNode,
  imageInfo,
  nodeOf,
  type KeyFiles,
  type OverlayAccess
} from '../../libvirt/qemu-img.ts'
import {
  defineSecret,
  listSecrets,
  secretKind,
  secretNamed,
  secretValue,
  secretXml,
  undefineSecret
} from '../../libvirt/secrets.ts'
import { secretUser } from '../evidence/secret-users.ts'
import { keep, type Kept } from '../evidence/verdict.ts'
import { syncDir } from '../../store/durable.ts'
import { withPrivateFiles, withXmlFile } from '../jobs/private-files.ts'
import { imageBelow, type CaptureDisk, type DiskEncryption, type StillDisk } from './capture-plan.ts'

/**
 * How the overlay of an encrypted disk is to be encrypted, or why it cannot be. A VM that ends by a fault leaves it to us to
 * write the overlay into its image, for which both keys are needed, also behind a boot of the host.
 */
export async function encryptionFor(
  shell: Shell,
  { secrets }: XmlDisk,
  disk: StillDisk,
  method: Method
): Promise<{ readonly encryption: DiskEncryption } | { readonly because: string }> {
  if (method === 'classic')
    return { because: 'it is encrypted, and a mirror of it, as method classic makes one, would be in clear' }
  const [name, ...others] = secrets
  if (name === undefined || others.length > 0 || disk.type === 'network')
    return { because: 'it is encrypted in a way for which no overlay can be made' }
  const secret = secretNamed(await listSecrets(shell), name)
  if (secret === undefined) return { because: `it is encrypted, and libvirt has no secret ${name} any more` }
  const { isPrivate, isEphemeral } = await secretKind(shell, secret.uuid)
  if (isPrivate || isEphemeral)
    return {
      because: `it is encrypted with a secret that libvirt ${isPrivate ? 'gives out to nobody (private)' : 'does not keep (ephemeral)'}: without its key what the VM writes meanwhile could be lost; shut off, it is copied as it is`
    }
  const { path } = imageBelow(disk)
  const inside = await imageInfo(shell, path, { format: 'luks' })
  const payloadAt = disk.virtualSizeBytes - inside.virtualSizeBytes
  const [own, ofOverlay] = [Uuid.parse(secret.uuid), Uuid.parse(randomUUID())]
  const opensWithDisk = await canAddKeys(shell)
  return { encryption: { secret: own, overlaySecret: ofOverlay, payloadAt, opensWithDisk } }
}

const KEY_BYTES = 32
/** Where libvirt keeps them. */
export const SECRETS = '/etc/libvirt/secrets'

/**
 * Makes the overlay's key, which libvirt keeps for as long as there is the overlay, and hands it over in a file, with that of the
 * image below and the folder that they lie in, which is in memory only.
 */
export async function withNewKey<T>(
  shell: Shell,
  disk: CaptureDisk,
  { secret, overlaySecret }: DiskEncryption,
  use: (keyFiles: KeyFiles, folder: string) => Promise<T>
): Promise<T> {
  // QEMU takes text for a key.
  const key = Buffer.from(randomBytes(KEY_BYTES).toString('hex')).toString('base64')
  return withPrivateFiles([key, await keyOf(shell, disk, secret)], async ([overlay = '', below = ''], folder) => {
    const xml = secretXml(overlaySecret, disk.sidecar)
    await withXmlFile(xml, (path) => defineSecret(shell, overlaySecret, path, overlay))
    await syncDir(SECRETS).catch(() => undefined)
    return use({ overlay, below }, folder)
  })
}

/**
 * With what QEMU's tools need to read the overlay and what is below it. Undefined: its header says it all, as it does but for
 * keys and logins.
 *
 * @throws `io` where libvirt does not give out the disk's key: it may, later
 */
export async function withOverlayAccess<T>(
  shell: Shell,
  disk: CaptureDisk,
  use: (access: OverlayAccess | undefined) => Promise<T>
): Promise<T> {
  const { encryption } = disk
  const { path } = imageBelow(disk)
  if (encryption === undefined)
    return use(loginsIn(path).length === 0 ? undefined : { below: nodeOf(imageBelow(disk)) })
  const key = await keyOf(shell, disk, encryption.secret)
  const own = (await secretValue(shell, encryption.overlaySecret)) ?? keyInstead(disk, encryption, key)
  const below = encryptedNode(path, disk.type === 'block')
  return withPrivateFiles([own, key], ([overlay = '', of = '']) => use({ keyFiles: { overlay, below: of }, below }))
}

/** The key of the disk, if the overlay was made to open with that. */
const keyInstead = ({ sidecar }: CaptureDisk, { overlaySecret, opensWithDisk }: DiskEncryption, key: string): string =>
  opensWithDisk === true
    ? key
    : fail({
        kind: 'io',
        path: sidecar,
        code: 'KEY',
        detail: `it is encrypted, and libvirt does not give out the secret ${overlaySecret}: its key is random, and nobody has it but libvirt: ${LOOK_AGAIN}, or put ${SECRETS}/${overlaySecret}.* back from a copy`
      })

const LOOK_AGAIN = 'see whether virtsecretd (or libvirtd) runs and virsh secret-list names it'

async function keyOf(shell: Shell, { sidecar }: CaptureDisk, secret: string): Promise<string> {
  const value = await secretValue(shell, secret)
  if (value !== undefined) return value
  const isPrivate = (await secretKind(shell, secret).catch(() => undefined))?.isPrivate === true
  const nextStep = isPrivate
    ? `it is private now. With its passphrase at hand, and only then: virsh secret-dumpxml ${secret} into a file, private='no' in it, virsh secret-undefine ${secret}, virsh secret-define with that file, virsh secret-set-value ${secret}. Without it: start the VM, and commit its overlay there (virsh blockcommit --active --pivot)`
    : `${LOOK_AGAIN}, and give it its value again (virsh secret-set-value ${secret})`
  const detail = `it is encrypted, and libvirt does not give out the secret ${secret} of its disk: ${nextStep}`
  return fail({ kind: 'io', path: sidecar, code: 'KEY', detail })
}

/** The overlay is gone, and what it held is in its image; but somebody may have copied it, and have a VM on that. */
export async function dropKey(shell: Shell, { sidecar, encryption }: CaptureDisk): Promise<Kept | undefined> {
  if (encryption === undefined) return undefined
  const { overlaySecret } = encryption
  const user = await secretUser(shell, overlaySecret, sidecar)
  if (user !== undefined) return keepKey(sidecar, encryption, `it is gone, but ${user} needs the key that it had`)
  await undefineSecret(shell, overlaySecret)
  return undefined
}

/** Somebody has taken the overlay away: under another name it may be the only copy of what a guest wrote, and its key the only one. */
export async function keepKeyOfLost(shell: Shell, { sidecar, encryption }: CaptureDisk): Promise<Kept | undefined> {
  if (encryption === undefined) return undefined
  const { overlaySecret } = encryption
  if (!(await listSecrets(shell)).some(({ uuid }) => uuid === overlaySecret)) return undefined
  return keepKey(sidecar, encryption, LOST)
}

const LOST =
  'it was encrypted, and is not there any more, though this job did not remove it: who has it may need the key that libvirt has for it'

const keepKey = (path: string, encryption: DiskEncryption, because: string): Kept =>
  keep(path, because, undefineByHand(encryption.overlaySecret, encryption))

/** `encryption` is that of the plan, where it is known. */
export const undefineByHand = (secret: string, encryption?: DiskEncryption): string =>
  `virsh secret-undefine ${secret}   # once no VM needs it, and no file that was moved or copied from there: without it ${encryption?.opensWithDisk === true ? 'that opens with the key alone that its disk had then' : 'nobody can read that ever again'}`
