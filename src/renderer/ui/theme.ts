import { createTheme, Menu, Modal, rem, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'
import { words } from '../words.ts'

/** The one accent: a still blue-green. State has its own colours, always with icon and word. */
const still: MantineColorsTuple = [
  '#eaf5f6',
  '#d5e8eb',
  '#a8d1d7',
  '#79b9c2',
  '#54a5b0',
  '#3c98a5',
  '#2c8a98',
  '#1c7482',
  '#0f6471',
  '#00535f'
]

/** Neutral with a breath of the accent, so that surfaces and text belong together. */
const dark: MantineColorsTuple = [
  '#d3d7da',
  '#b3b9be',
  '#949ca2',
  '#5f686f',
  '#3a4248',
  '#2d3439',
  '#22282c',
  '#15181b',
  '#101315',
  '#0b0d0f'
]

/** For buttons that take something away. */
const danger: MantineColorsTuple = [
  '#fdeceb',
  '#f9d6d3',
  '#f2aca7',
  '#ea8078',
  '#e35c52',
  '#d9463b',
  '#c9362c',
  '#b3261e',
  '#9b1c15',
  '#82130d'
]

/** Mantine bent: 8 px grid, two sizes of text and one for figures and titles, tabular figures (base.css). */
export const theme = createTheme({
  primaryColor: 'still',
  primaryShade: { light: 8, dark: 7 },
  colors: { still, dark, danger },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  // In rem: who has set the browser's text larger gets it larger.
  fontSizes: { xs: rem(13), sm: rem(13), md: rem(15), lg: rem(15), xl: rem(24) },
  spacing: { xs: '4px', sm: '8px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '8px', xl: '16px' },
  defaultRadius: 'md',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: rem(24) }, h2: { fontSize: rem(15) }, h3: { fontSize: rem(15) } }
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Pages scroll in `main`, so there is no scrolling of the body to lock.
    Modal: Modal.extend({
      defaultProps: { lockScroll: false, centered: true, closeButtonProps: { 'aria-label': words.close } }
    }),
    // Its first item takes the focus itself: a placeholder would be a child that no menu may have.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, returnFocus: true } })
  }
})

/** Surfaces and lines of our own, by colour scheme. Pairs of text and surface keep a contrast of 4.5:1. */
export const themeVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f7f8',
    '--mantine-color-text': '#1c2226',
    '--mantine-color-dimmed': '#59646b',
    '--mantine-color-placeholder': '#6b767d',
    '--mantine-color-error': '#b3261e',
    '--still-rail': '#eceff1',
    '--still-panel': '#ffffff',
    '--still-line': '#dde2e5',
    '--still-hover': '#e3e8ea',
    '--still-text-soft': '#4b555b',
    '--still-accent-text': still[8],
    '--still-accent-soft': '#d9e9ec',
    '--mantine-color-still-light': '#d9e9ec',
    '--mantine-color-still-light-hover': '#c8e0e4',
    '--mantine-color-still-light-color': still[9],
    '--still-danger': '#b3261e',
    '--still-good': '#1e7a3c',
    '--still-attention': '#8f5a00',
    '--still-unknown': '#59646b',
    '--still-quiet': '#98a5ad'
  },
  dark: {
    '--mantine-color-body': '#15181b',
    '--mantine-color-text': '#dfe3e6',
    '--mantine-color-dimmed': '#98a2a8',
    '--mantine-color-placeholder': '#8a949a',
    '--mantine-color-error': '#ff8f85',
    '--still-rail': '#101315',
    '--still-panel': '#1c2023',
    '--still-line': '#2d3439',
    '--still-hover': '#22282c',
    '--still-text-soft': '#a9b2b8',
    '--still-accent-text': still[3],
    '--still-accent-soft': '#1b3237',
    '--mantine-color-still-light': '#1b3237',
    '--mantine-color-still-light-hover': '#23424a',
    '--mantine-color-still-light-color': still[2],
    '--still-danger': '#ff8f85',
    '--still-good': '#6cce8d',
    '--still-attention': '#efb654',
    '--still-unknown': '#98a2a8',
    '--still-quiet': '#67727a'
  }
})
