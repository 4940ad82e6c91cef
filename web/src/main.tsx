import '@fontsource-variable/fraunces'
import '@fontsource-variable/instrument-sans'
import { render } from 'preact'
import { App } from './page/App'
import { joinDevice } from './page/device'
import { listenToKeys } from './page/keys'
import { open } from './page/studio'
import { songFromLink } from './songs/workshop'
import './style/base.css'
import './style/stage.css'
import './style/panel.css'
import './style/dialogs.css'
import './style/songs.css'

open()
listenToKeys()
joinDevice()
void songFromLink(location.hash)
render(<App />, document.getElementById('app')!)
