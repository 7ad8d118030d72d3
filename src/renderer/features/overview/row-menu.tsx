import { Menu } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import type { VmSafety } from '../../../shared/safety.ts'
import classes from './overview.module.css'
import { RowActions } from './row-actions.tsx'
import { words } from './words.ts'

/** What can be done with one VM. A plain button until it is pressed: rows come and go while one scrolls. */
export function RowMenu({ row }: { readonly row: VmSafety }) {
  const [opened, setOpened] = useState(false)
  const label = words.actions(safeText(row.name))
  const button = useRef<HTMLButtonElement>(null)
  const close = (): void => {
    setOpened(false)
    button.current?.focus()
  }
  return (
    <span className={classes['menu']}>
      <button
        ref={button}
        type="button"
        className={classes['menuButton']}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={opened}
        onClick={() => setOpened(true)}
      >
        <IconDots size={18} aria-hidden />
      </button>
      {opened && (
        <Menu opened onClose={close} position="bottom-end">
          <Menu.Target>
            <span className={classes['menuAnchor']} aria-hidden onClick={close} />
          </Menu.Target>
          <Menu.Dropdown aria-label={label}>
            <RowActions row={row} />
          </Menu.Dropdown>
        </Menu>
      )}
    </span>
  )
}
