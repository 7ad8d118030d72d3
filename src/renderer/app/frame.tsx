import { useState } from 'react'
import classes from './frame.module.css'
import { Rail } from './rail.tsx'
import { FIRST_SCREEN, SCREENS } from './screens.ts'

/** Rail on the left, the page beside it. */
export function Frame() {
  const [id, setId] = useState(FIRST_SCREEN.id)
  const screen = SCREENS.find((candidate) => candidate.id === id) ?? FIRST_SCREEN
  return (
    <div className={classes['frame']}>
      <Rail screens={SCREENS} active={screen.id} onChoose={setId} />
      <main className={classes['page']}>
        <screen.page />
      </main>
    </div>
  )
}
