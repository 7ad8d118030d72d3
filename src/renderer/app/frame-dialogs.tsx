import { Kbd, Modal, Table } from '@mantine/core'
import { HowItWorks } from '../features/welcome/how-it-works.tsx'
import { useWindow } from '../state/store-context.ts'
import { words } from '../words.ts'
import { modKey } from './mod-key.ts'
import { RAIL } from './screens.tsx'

/** Mantine gives the menu's id to its button. */
export const HELP_MENU = 'help'

/** The menu item that opened it is gone by then. */
const focusHelp = (): void => document.getElementById(HELP_MENU)?.focus()

const returning = { returnFocus: false, onExitTransitionEnd: focusHelp }

/** What Help opens; it can be opened again from where the focus is afterwards. */
export function FrameDialogs() {
  const dialog = useWindow((state) => state.frameDialog)
  const close = useWindow((state) => state.closeFrameDialog)
  return (
    <>
      <Modal opened={dialog === 'shortcuts'} onClose={close} title={words.help.shortcuts} {...returning}>
        <Shortcuts />
      </Modal>
      <Modal opened={dialog === 'how-it-works'} onClose={close} title={words.help.howItWorks} size="lg" {...returning}>
        <HowItWorks />
      </Modal>
    </>
  )
}

const KEYS: readonly (readonly [string, string])[] = [
  [modKey('K'), words.search.open],
  ...RAIL.map(({ label }, n): readonly [string, string] => [modKey(String(n + 1)), words.shortcuts.screen(label)]),
  ['Alt+←', words.shortcuts.back],
  ['Esc', words.shortcuts.close],
  ['?', words.shortcuts.these]
]

function Shortcuts() {
  return (
    <Table aria-label={words.help.shortcuts}>
      <Table.Tbody>
        {KEYS.map(([key, text]) => (
          <Table.Tr key={key}>
            <Table.Td>{text}</Table.Td>
            <Table.Td ta="end">
              <Kbd>{key}</Kbd>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
