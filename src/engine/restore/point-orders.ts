import { quoted } from '../../shared/quoted.ts'
import { safeText } from '../../shared/safe-text.ts'
import { itemOf } from '../../libvirt/needs/item.ts'
import type { Need } from '../../libvirt/needs/need.ts'
import { needsOf } from '../../libvirt/needs/needs-of.ts'
import { ejectMedia, setChannelSocketsToDefault } from '../../libvirt/domain-xml-edit.ts'
import { isDrive } from '../../libvirt/domain-xml.ts'
import { isAllowed, isUnreadable, type HostRules } from './allowed.ts'
import type { Checklist } from './checklist.ts'
import { sayNeed } from './need-words.ts'

/** What a VM would be defined with here, as far as a point says it. `ram`: that of its RAM image. */
export interface Definitions {
  readonly next: readonly string[]
  readonly ram: string | undefined
}

/** A list that nobody reads to its end helps nobody; the rest is refused with it. */
const MOST_SHOWN = 60

/**
 * Names each thing that these definitions want of this host and that nobody has allowed. They are the ones that would be
 * defined and resumed, after all edits: nothing else reaches libvirt.
 */
export async function tellOrders({ next, ram }: Definitions, rules: HostRules, list: Checklist): Promise<void> {
  const told = new Set<string>()
  const known = new Set(next.flatMap(needsOf).map(itemOf))
  const orders = [
    ...next.flatMap((xml) => needsOf(xml).map((need) => ({ need, by: 'the definition' }))),
    ...(ram === undefined ? [] : needsOf(ram)).map((need) => ({
      need,
      by: known.has(itemOf(need)) ? 'the definition' : 'only the RAM image, not the definition,'
    }))
  ]
  for (const { need, by } of orders) {
    if (told.has(itemOf(need)) || (await isAllowed(need, rules))) continue
    if (told.size < MOST_SHOWN) tellOrder(need, by, list)
    told.add(itemOf(need))
  }
  if (told.size > MOST_SHOWN)
    list.problem('not allowed', `and ${told.size - MOST_SHOWN} more`, 'do not trust this point')
}

function tellOrder(need: Need, by: string, list: Checklist): void {
  const text = `${by} asks ${sayNeed(need)} [${need.where}]`
  if (isUnreadable(need)) list.problem('not allowed', text, 'do not trust this point: no host writes such definitions')
  else list.refused(text, itemOf(need))
}

/** Media that this host would not give out unasked: drives are left empty instead, for which no VM is the worse. */
export async function foreignMedia(xml: string, rules: HostRules): Promise<readonly (Need & { kind: 'disk' })[]> {
  const media: (Need & { kind: 'disk' })[] = []
  for (const need of needsOf(xml))
    if (need.kind === 'disk' && need.role === 'image' && isDrive(need) && !(await isAllowed(need, rules)))
      media.push(need)
  return media
}

/** Without the media that are not given out, each of which is named, with what leaves it in; nor another VM's channels. */
export async function withoutForeignMedia(xml: string, rules: HostRules, list: Checklist): Promise<string> {
  // Written anew even where nothing changes: what libvirt reads is what was looked at here.
  let edited = setChannelSocketsToDefault(xml)
  for (const need of await foreignMedia(xml, rules)) {
    list.warning(
      'disks',
      `The medium in ${need.target} (${safeText(need.source)}) is no plain image in an image folder of this host; the drive is left empty`,
      { fix: `restore with --allow ${quoted(itemOf(need))} to leave it in`, allow: itemOf(need) }
    )
    edited = ejectMedia(edited, need.target)
  }
  return edited
}
