"""How the page looks and pastes; nothing is fetched for it."""
from typing import Any

#: Fonts that the machine has.
FONT = ('system-ui', 'Segoe UI', 'Helvetica Neue', 'Arial', 'DejaVu Sans',
        'sans-serif')
FONT_MONO = ('ui-monospace', 'Consolas', 'DejaVu Sans Mono', 'monospace')

CSS = """
.gradio-container { max-width: 1040px !important; margin: auto !important; }
footer { display: none !important; }
#answer { min-height: 200px; }
#answer .html-container { padding: 0 0 0 8px; }
.lmim-text {
  font: 600 44px/1.2 ui-monospace, Consolas, 'DejaVu Sans Mono', monospace;
  color: var(--body-text-color); white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.lmim-score, .lmim-note, .lmim-hint { color: var(--body-text-color); }
.lmim-score, .lmim-note, .lmim-hint { opacity: 0.75; }
.lmim-score { margin: 2px 0 16px; }
.lmim-note { margin-top: 12px; font-size: 13px; }
.lmim-cells {
  display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(132px, 1fr));
}
.lmim-cell {
  display: grid; grid-template-columns: auto 1fr auto; gap: 8px;
  align-items: center; padding: 8px; border-radius: 6px;
  border: 1px solid var(--border-color-primary);
}
.lmim-cell img {
  grid-column: 1 / -1; width: 100%; height: 52px; object-fit: contain;
}
.lmim-char {
  font: 600 20px/1 ui-monospace, Consolas, 'DejaVu Sans Mono', monospace;
  min-width: 1ch;
}
.lmim-bar {
  height: 8px; border-radius: 4px; overflow: hidden;
  background: var(--border-color-primary);
}
.lmim-bar span { display: block; height: 100%; }
.lmim-sure { background: #2c7fb8; }
.lmim-unsure { background: #b2182b; }
.lmim-number { font-size: 13px; font-variant-numeric: tabular-nums; }
.lmim-problem {
  padding: 12px 14px; border-radius: 6px; border-left: 4px solid #b2182b;
  background: var(--background-fill-secondary); color: var(--body-text-color);
}
"""

#: Gradio pastes by a button alone, and that only on https or this machine.
PASTE = """
() => document.addEventListener('paste', event => {
  const files = Array.from(event.clipboardData.files);
  const file = files.find(each => each.type.startsWith('image/'));
  const input = document.querySelector('#picture input[type=file]');
  if (!file || !input) return;
  const data = new DataTransfer();
  data.items.add(file);
  input.files = data.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
})
"""


def make_theme() -> Any:
    """Colours, and fonts that the machine has.

    Returns:
        gradio.themes.Default: The theme of Gradio that has the fewest frills.
    """
    import gradio as gr
    return gr.themes.Default(primary_hue='blue', neutral_hue='slate',
                             font=FONT, font_mono=FONT_MONO)
