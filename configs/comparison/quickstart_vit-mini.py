# What tools/quickstart.sh trains, with numbers that it plans for a machine:
# many words without labels, 3,000 with them.
#   lmim data render data/rendered --train 16000 --test 500 --style print
#   --min-length 3 --max-length 5
_base_ = 'rendered_vit-mini.py'

compared = ['scratch', 'lmim-plus']
labels = [dict(words=3000, batches=750)]
