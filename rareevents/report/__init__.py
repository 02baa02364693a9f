"""What a run leaves for people: a page, a dozen lines on the terminal, a card in a notebook, from the same words.

A report is made from the files of a results folder and from what the experiment's script says of them: nothing that was
in memory while it ran, and nothing measured in time.
"""
from rareevents.report.about import About, about
from rareevents.report.cards import card, comparison_card
from rareevents.report.page import page
from rareevents.report.terminal import summary
from rareevents.report.told import Told, checked
from rareevents.report.words import figure, interval_of, value_of
