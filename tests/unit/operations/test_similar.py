"""What became of the last alerts alike, in words."""

from operations.alerts.similar import Similar, similar_words

T0 = 1_795_392_000_000


def test_the_words_say_when_who_why_and_how_it_ended():
    said = similar_words(
        [Similar("b", T0 - 3_600_000, 720_000, "李强", "误报"), Similar("c", T0 - 7_200_000)]
    )
    assert "07:00 李强 确认（误报），12 分钟后恢复" in said
    assert "06:00 无人确认，未恢复" in said
    assert "此前没有" in similar_words([])
